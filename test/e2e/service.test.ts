import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { MAIN } from '../../src/testing/node-process.ts'

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-service-'))
  await writeFile(join(folder, 'porch.yaml'), 'name: porch\nmemory: 64MiB\n')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const run = (program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> =>
  new Promise(resolve => {
    execFile(program, args, { cwd: folder, env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    )
  })
const service = (...args: string[]): Promise<Ran> =>
  run(process.execPath, [MAIN, 'service', ...args], { XDG_CONFIG_HOME: join(folder, 'config'), SUDO_USER: '' })

describe('what would be installed', () => {
  const planned = async (
    ...args: string[]
  ): Promise<{ unit: string; file: string; text: string; commands: string[] }> =>
    JSON.parse((await service('install', '--dry-run', '--json', ...args)).stdout)

  test('a unit of the machine, with the settings for memory, and nothing is written', async () => {
    const { file, text, commands } = await planned('--system', '--run-as', 'pi', '--', '--config', 'porch.yaml')
    expect(file).toBe('/etc/systemd/system/tributary-porch.service')
    expect(text).toContain('--max-semi-space-size=4')
    expect(text).toContain('Environment=MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072')
    expect(text).toContain('\nUser=pi\n')
    expect(text).toContain('\nExecReload=/bin/kill -HUP $MAINPID\n')
    expect(text).toContain(`\nWorkingDirectory=${folder}\n`)
    expect(commands.at(-1)).toBe('systemctl restart tributary-porch.service')
    expect(existsSync(file)).toBe(false)
  })

  test("a unit of one's own; arguments that systemd would read otherwise are kept", async () => {
    const { file, text, commands } = await planned('--user', '--', '--name', 'porch', '--seed', '50% of "$HOME" \\n')
    expect(file).toBe(join(folder, 'config/systemd/user/tributary-porch.service'))
    expect(text).toContain('node --name porch --seed "50%% of \\"$$HOME\\" \\\\n"')
    expect(text).not.toContain('User=')
    expect(commands).toContain('systemctl --user enable tributary-porch.service')
    expect(existsSync(file)).toBe(false)
  })

  test('whom it runs as need not be said to look at it; to install it, it must be', async () => {
    const flags = ['install', '--system', '--', '--config', 'porch.yaml']
    const { code, stdout } = await service('install', '--dry-run', ...flags.slice(1))
    expect(code).toBe(0)
    expect(stdout).toContain('\nUser=USER\n')
    expect(stdout).toMatch(/whom it runs as is to be said: --run-as USER\n$/)
    expect(await service(...flags)).toMatchObject({ code: 2, stderr: expect.stringContaining('--run-as is missing') })
    expect(existsSync('/etc/systemd/system/tributary-porch.service')).toBe(false)
  })

  test.skipIf(!existsSync('/usr/bin/systemd-analyze'))('systemd takes the unit as it is', async () => {
    const { unit, text } = await planned('--system', '--run-as', 'root', '--', '--config', 'porch.yaml')
    const file = join(folder, unit)
    await writeFile(file, text)
    expect(await run('systemd-analyze', ['verify', file])).toMatchObject({ code: 0, stderr: '' })
    await writeFile(file, text.replace('Restart=on-failure', 'Restart=perhaps'))
    expect((await run('systemd-analyze', ['verify', file])).stderr).toContain('perhaps')
  })

  test.each([
    ['a flag that is none', ['--user', '--', '--prt', '3'], /"--prt" is no flag of tributary node/],
    ['a value that is wrong', ['--user', '--', '--memory', 'much'], /--memory/],
    ['an invite that everybody could read', ['--user', '--', '--join', 'tributary1:eyJr'], /--join-file/],
    ['an invite that nobody can be asked for', ['--user', '--', '--join', '-'], /nobody can be asked/],
    [
      'a source without an end to read from',
      ['--user', '--', '--source', 'a=stdin:', '--preset', 'raw', '--sink', 'r.jsonl'],
      /has no standard input/
    ],
    ['no name of a user', ['--system', '--run-as', 'a b'], /no name of a user/],
    ['two kinds at once', ['--system', '--user'], /keep one/],
    ['another user for a unit of ones own', ['--user', '--run-as', 'pi'], /runs as you/],
    ['a config that is not there', ['--user', '--', '--config', 'none.yaml'], /none\.yaml/]
  ])('%s: exit 2, and why', async (_, args, why) => {
    const { code, stderr, stdout } = await service('install', '--dry-run', ...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(why)
  })

  test('what somebody else wrote in its place stays', async () => {
    const file = join(folder, 'config/systemd/user/tributary-shed.service')
    await mkdir(join(file, '..'), { recursive: true })
    await writeFile(file, '[Service]\nExecStart=/bin/true\n')
    for (const args of [
      ['install', '--user', '--', '--name', 'shed'],
      ['uninstall', '--user', '--name', 'shed']
    ]) {
      const { code, stderr } = await service(...args)
      expect(code).toBe(2)
      expect(stderr).toContain('was not made by tributary service install')
    }
    expect(await readFile(file, 'utf8')).toContain('/bin/true')
  })

  test('the examples of the help are what is run', async () => {
    const { stdout } = await service('install', '--help')
    const lines = [...stdout.matchAll(/^ +\$ (?:sudo )?tributary service (.*)$/gm)].map(([, line]) => line!)
    expect(lines).toHaveLength(3)
    for (const line of lines) {
      const args = line.replace('/etc/tributary/', '').replace(' -- ', ' --dry-run --run-as root -- ').split(' ')
      const kept = line.includes('--user') ? args.filter(word => !['--run-as', 'root'].includes(word)) : args
      expect(await service(...kept)).toMatchObject({ code: 0, stdout: expect.stringContaining('would write') })
    }
  })
})

/** A systemd for one user needs namespaces of its own here, which root may make. */
const mayBoot = (): boolean => {
  try {
    execFileSync('unshare', ['-mpf', '--mount-proc', 'test', '-x', '/lib/systemd/systemd'], { stdio: 'ignore' })
    return process.getuid?.() === 0
  } catch {
    return false
  }
}

describe.skipIf(!mayBoot())('under a real systemd', () => {
  let booted: ChildProcess
  let inside: string[]
  let env: NodeJS.ProcessEnv
  const script =
    'mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system /run/user/0 && /lib/systemd/systemd --user & wait'
  const systemctl = async (...args: string[]): Promise<string> =>
    (await run('nsenter', [...inside, 'systemctl', '--user', ...args], env)).stdout.trim()
  const tributary = (...args: string[]): Promise<Ran> =>
    run('nsenter', [...inside, process.execPath, MAIN, ...args], env)

  beforeAll(async () => {
    env = { HOME: join(folder, 'home'), XDG_CONFIG_HOME: join(folder, 'own'), XDG_RUNTIME_DIR: '/run/user/0' }
    await mkdir(join(folder, 'home'))
    booted = spawn('unshare', ['-mpf', '--mount-proc', '--kill-child', 'sh', '-c', script], {
      stdio: 'ignore',
      env: { ...process.env, ...env }
    })
    const first = (): string => readFileSync(`/proc/${booted.pid}/task/${booted.pid}/children`, 'utf8').trim()
    await vi.waitFor(() => expect(first()).not.toBe(''))
    inside = ['-m', '-p', '-t', first()]
    await vi.waitFor(async () => expect(await systemctl('is-system-running')).toMatch(/running|degraded/), 30_000)
  })
  afterAll(() => booted.kill('SIGKILL'))

  test('a device is started, started again when it was killed, and gone when it is uninstalled', async () => {
    const before = await tributary('service', 'status', '--user', '--name', 'porch')
    expect(before).toMatchObject({ code: 1, stdout: expect.stringContaining('not installed') })
    const flags = ['--name', 'porch', '--no-mdns', '--listen', '127.0.0.1:0']
    const installed = await tributary('service', 'install', '--user', '--', ...flags)
    expect(installed).toMatchObject({ code: 0, stdout: expect.stringContaining('is installed and started') })
    const status = async () =>
      JSON.parse((await tributary('service', 'status', '--user', '--name', 'porch', '--json')).stdout)
    const first = await status()
    expect(first).toMatchObject({ installed: true, enabled: true, running: true, restarts: 0 })
    await expect
      .poll(() => tributary('status', '--name', 'porch').then(({ code }) => code), { timeout: 20_000 })
      .toBe(0)
    await systemctl('kill', '-s', 'KILL', 'tributary-porch.service')
    await expect.poll(async () => (await status()).restarts, { timeout: 30_000, interval: 500 }).toBe(1)
    expect((await status()).pid).not.toBe(first.pid)
    expect(await tributary('service', 'uninstall', '--user', '--name', 'porch')).toMatchObject({ code: 0 })
    expect(existsSync(join(folder, 'own/systemd/user/tributary-porch.service'))).toBe(false)
    expect(existsSync(join(folder, 'home/.tributary/porch/identity.key'))).toBe(true)
    expect((await tributary('service', 'uninstall', '--user', '--name', 'porch')).code).toBe(1)
  })
})
