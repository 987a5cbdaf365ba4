// `npm test`: types, lint, unit tests, end-to-end tests; `npm run test:long` adds the slow ones. Says what it does
// and how long each took. The last line is always "N passed, N failed, N skipped"; exit 0 only when tests ran and
// nothing failed. The type check and the lint count as one test each.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepare } from './prepare.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const say = text => process.stdout.write(`${text}\n`)
const totals = { passed: 0, failed: [], skipped: [] }

/** @param isAside it yields to all else, and what it says comes when it has ended */
const npx = (args, { env = {}, isAside = false } = {}) =>
  new Promise(resolve => {
    const child = spawn('npx', ['--no-install', ...args], {
      cwd: root,
      stdio: ['ignore', ...(isAside ? ['pipe', 'pipe'] : ['inherit', 'inherit'])],
      env: { ...process.env, ...env },
      shell: process.platform === 'win32'
    })
    const said = []
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', piece => said.push(piece))
    if (isAside && child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
    const end = outcome => resolve({ ...outcome, said: Buffer.concat(said).toString() })
    child.once('error', error => end({ error }))
    child.once('close', (status, signal) => end({ status, signal }))
  })

/** @param work its outcome in words, and what it has said that was not printed yet */
const timed = async (name, work, { isAside = false } = {}) => {
  if (!isAside) say(`\n== ${name} ...`)
  const started = Date.now()
  const { outcome, said } = await work()
  if (said !== '') say(`\n${said}`)
  say(`${isAside ? '\n' : ''}== ${name}: ${outcome} in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}

const ending = ({ status, signal, error }) => error?.message ?? (signal ? `stopped by ${signal}` : `exit ${status}`)

/** A tool that says yes or no. */
const check = (name, args, options = {}) => {
  const run = async () => {
    const { said, ...result } = await npx(args, options)
    if (result.status === 0) {
      totals.passed++
      return { outcome: 'passed', said }
    }
    totals.failed.push({ name, why: `${args.join(' ')}: ${ending(result)}; its lines above say where` })
    return { outcome: 'FAILED', said }
  }
  return timed(name, run, options)
}

/** One vitest project; its counts come from scripts/test-reporter.mjs. */
const suite = (name, project, options = {}) => {
  const run = async () => {
    const file = join(root, 'build', 'test', `${project}.json`)
    rmSync(file, { force: true })
    const talk = process.stdout.isTTY ? 'default' : 'dot'
    const reporters = [`--reporter=${talk}`, '--reporter=./scripts/test-reporter.mjs']
    const env = { TRIBUTARY_TEST_SUMMARY: file, TRIBUTARY_BUILT: '1' }
    const { said, ...result } = await npx(['vitest', 'run', '--project', project, ...reporters], { env, ...options })
    if (!existsSync(file)) {
      totals.failed.push({ name, why: `vitest did not finish (${ending(result)}); its lines above say why` })
      return { outcome: 'FAILED', said }
    }
    const { passed, failed, skipped, errors, interrupted } = JSON.parse(readFileSync(file, 'utf8'))
    const problems = [...failed, ...errors.map(why => ({ name: `${name}, outside of any test`, why }))]
    if (interrupted) problems.push({ name, why: 'interrupted' })
    if (passed + problems.length + skipped.length === 0) problems.push({ name, why: 'no test was found' })
    if (result.status !== 0 && problems.length === 0) problems.push({ name, why: `vitest: ${ending(result)}` })
    totals.passed += passed
    totals.failed.push(...problems)
    totals.skipped.push(...skipped)
    return { outcome: `${passed} passed, ${problems.length} failed, ${skipped.length} skipped`, said }
  }
  return timed(name, run, options)
}

/** What only computes. What takes real time waits more than it computes, and leaves the processors to it. */
const computeAside = async () => {
  const aside = { isAside: true }
  await check('Types (tsc)', ['tsc'], aside)
  await check('Types of the page (tsc)', ['tsc', '-p', 'src/dashboard/page'], aside)
  await check('Format and lint (biome)', ['biome', 'check'], aside)
  await suite('Unit tests of what only computes', 'computed', aside)
  await suite('Devices in simulated time, seed by seed', 'simulated', aside)
}

const long = process.argv.includes('--long')
prepare()
say('\nTypes, lint and what only computes are looked at aside.')
const computed = computeAside()
await suite('Unit tests of what takes real time', 'unit')
await suite('End-to-end tests: commands and real processes', 'e2e')
await computed
await suite('Unit tests of transfers, which are timed', 'timed')
if (long) await suite('Long tests', 'long')

const list = (title, entries) => {
  if (entries.length > 0) say(`\n${title}:\n${entries.map(({ name, why }) => `  ${name}\n    ${why}`).join('\n')}`)
}
list('Skipped', totals.skipped)
list('Failed', totals.failed)
if (totals.failed.length > 0) {
  say('\nTo run one file alone: npx vitest run PATH. Formatting: npm run format.')
  process.exitCode = 1
}
say(`\n${totals.passed} passed, ${totals.failed.length} failed, ${totals.skipped.length} skipped`)
