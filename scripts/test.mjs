// `npm test`: types, lint, unit tests, end-to-end tests; `npm run test:long` adds the slow ones. Says what it does
// and how long each took. What only computes runs beside the end-to-end tests, which wait more than they compute, with what
// these leave of the processors, and says its lines when it is over. The last line is always "N passed, N failed, N skipped"; exit 0 only when tests ran and
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

/** What speaks at once, and what keeps its lines and its place behind others until it is over. */
const FRONT = { say, stdio: ['ignore', 'inherit', 'inherit'] }
const beside = () => {
  const lines = []
  return { say: text => lines.push(`${text}\n`), stdio: ['ignore', 'pipe', 'pipe'], lines }
}

const npx = (args, { stdio, lines }, env = {}) =>
  new Promise(resolve => {
    const shell = process.platform === 'win32'
    const child = spawn('npx', ['--no-install', ...args], { cwd: root, stdio, env: { ...process.env, ...env }, shell })
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', chunk => lines.push(chunk))
    child.once('error', error => resolve({ status: null, signal: null, error }))
    child.once('close', (status, signal) => resolve({ status, signal }))
    if (lines === undefined || child.pid === undefined) return
    try {
      setPriority(child.pid, constants.priority.PRIORITY_LOW)
    } catch {} // it has ended already
  })

const timed = async (name, work, place) => {
  place.say(`\n== ${name} ...`)
  const started = Date.now()
  const outcome = await work()
  place.say(`== ${name}: ${outcome} in ${((Date.now() - started) / 1000).toFixed(1)} s`)
  for (const part of place.lines?.splice(0) ?? []) process.stdout.write(part)
}

const ending = ({ status, signal, error }) => error?.message ?? (signal ? `stopped by ${signal}` : `exit ${status}`)

/** A tool that says yes or no. */
const check = (name, args, place = FRONT) =>
  timed(
    name,
    async () => {
      const result = await npx(args, place)
      if (result.status === 0) {
        totals.passed++
        return 'passed'
      }
      totals.failed.push({ name, why: `${args.join(' ')}: ${ending(result)}; its lines above say where` })
      return 'FAILED'
    },
    place
  )

/** One vitest project; its counts come from scripts/test-reporter.mjs. */
const suite = (name, project, place = FRONT) =>
  timed(
    name,
    async () => {
      const file = join(root, 'build', 'test', `${project}.json`)
      rmSync(file, { force: true })
      const talk = process.stdout.isTTY && place === FRONT ? 'default' : 'dot'
      const reporters = [`--reporter=${talk}`, '--reporter=./scripts/test-reporter.mjs']
      const env = { TRIBUTARY_TEST_SUMMARY: file, TRIBUTARY_BUILT: '1' }
      const result = await npx(['vitest', 'run', '--project', project, ...reporters], place, env)
      if (!existsSync(file)) {
        totals.failed.push({ name, why: `vitest did not finish (${ending(result)}); its lines above say why` })
        return 'FAILED'
      }
      const { passed, failed, skipped, errors, interrupted } = JSON.parse(readFileSync(file, 'utf8'))
      const problems = [...failed, ...errors.map(why => ({ name: `${name}, outside of any test`, why }))]
      if (interrupted) problems.push({ name, why: 'interrupted' })
      if (passed + problems.length + skipped.length === 0) problems.push({ name, why: 'no test was found' })
      if (result.status !== 0 && problems.length === 0) problems.push({ name, why: `vitest: ${ending(result)}` })
      totals.passed += passed
      totals.failed.push(...problems)
      totals.skipped.push(...skipped)
      return `${passed} passed, ${problems.length} failed, ${skipped.length} skipped`
    },
    place
  )

const long = process.argv.includes('--long')
prepare()
await suite('Unit tests of what takes real time', 'unit')
await suite('Unit tests of transfers, which are timed', 'timed')

const whatComputes = async () => {
  await check('Types (tsc)', ['tsc'], beside())
  await check('Types of the page (tsc)', ['tsc', '-p', 'src/dashboard/page'], beside())
  await check('Format and lint (biome)', ['biome', 'check'], beside())
  await suite('Unit tests of what only computes', 'computed', beside())
  await suite('Devices in simulated time, seed by seed', 'simulated', beside())
}
await Promise.all([suite('End-to-end tests: commands and real processes', 'e2e'), whatComputes()])
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
