import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { UserError } from '../../core/user-error.ts'
import { lockFile } from './lock-file.ts'
import { lockHandle } from './lock-handle.ts'

const BUILT = fileURLToPath(new URL('../../../dist/src/runtime/', import.meta.url))
const fresh = (): string => join(mkdtempSync(join(tmpdir(), 'tributary-lock-')), 'held')

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const PROGRAM = `
  const { lockFile } = await import('${BUILT}sink/lock-file.js')
  await lockFile(process.argv[1], 'it')
  process.stdout.write(String(process.pid) + '\\n')
  setInterval(() => {}, 1000)
`

/** A process that holds `file`. @param wrap a command that starts it elsewhere */
const holder = async (file: string, wrap: readonly string[] = []): Promise<{ child: ChildProcess; pid: number }> => {
  expect(existsSync(BUILT), 'this test runs compiled code: run "npm run build" first').toBe(true)
  const [command, ...args] = [...wrap, process.execPath, '--input-type=module', '-e', PROGRAM, file]
  const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [text] = (await once(child.stdout!, 'data')) as [Buffer]
  return { child, pid: Number(text) }
}

const isPermitted = (...command: readonly string[]): boolean =>
  spawnSync(command[0]!, [...command.slice(1), 'true'], { stdio: 'ignore' }).status === 0

test('a file is held by one, whatever it is called: by a link, a hard link, another path', async () => {
  const file = fresh()
  await using _ = await lockFile(file, 'it')
  linkSync(file, `${file}-hard`)
  symlinkSync(file, `${file}-soft`)
  symlinkSync(join(file, '..'), `${file}-folder`)
  for (const name of [file, `${file}-hard`, `${file}-soft`, join(`${file}-folder`, 'held')]) {
    const opening = lockFile(name, 'sink x')
    await expect(opening, name).rejects.toThrow(`sink x: is used by process ${process.pid}; stop it, or give another`)
    await expect(opening).rejects.toBeInstanceOf(UserError)
  }
})

test('it stays held when it is renamed, and is free when it is let go', async () => {
  const file = fresh()
  const held = await lockFile(file, 'it')
  expect(held.lock).toEqual({ kind: 'locked' })
  renameSync(file, `${file}-away`)
  await expect(lockFile(`${file}-away`, 'it')).rejects.toThrow('is used by')
  await held[Symbol.asyncDispose]()
  await using _ = await lockFile(`${file}-away`, 'it')
})

test('what an earlier version left in its place does not matter', async () => {
  const file = fresh()
  writeFileSync(file, JSON.stringify({ host: 'elsewhere.example', pid: 1, began: null }))
  await using held = await lockFile(file, 'it')
  expect(held.lock.kind).toBe('locked')
})

test('a process that is killed lets go at once, and while it lives it is named', async () => {
  const file = fresh()
  const { child, pid } = await holder(file)
  await expect(lockFile(file, 'it')).rejects.toThrow(`it: is used by process ${pid}; stop it`)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await using _ = await lockFile(file, 'it')
})

test.skipIf(!isPermitted('unshare', '--pid', '--fork', '--mount-proc'))(
  'processes in different namespaces, as in containers, keep each other out', // skipped where namespaces are not permitted
  async () => {
    const file = fresh()
    const { child } = await holder(file, ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child=KILL'])
    await expect(lockFile(file, 'it')).rejects.toThrow(/is used by process \d+; stop it/)
    const { status, stderr } = spawnSync(
      'unshare',
      ['--pid', '--fork', '--mount-proc', process.execPath, '--input-type=module', '-e', PROGRAM, file],
      { encoding: 'utf8', timeout: 20_000 }
    )
    expect([status, stderr]).toEqual([1, expect.stringContaining('is used by process')])
    child.kill('SIGKILL')
    await once(child, 'exit')
    await expect.poll(() => lockFile(file, 'it').then(held => held[Symbol.asyncDispose](), String)).toBeUndefined()
  }
)

test.skipIf(!isPermitted('unshare', '--uts', 'sh', '-c', 'hostname probe'))(
  'another host name than that of the process that was killed is no hindrance', // skipped where namespaces are not permitted
  async () => {
    const file = fresh()
    const { child, pid } = await holder(file, [
      ...['unshare', '--uts', 'sh', '-c', 'hostname c0ffee && exec "$@"', 'sh']
    ])
    await expect(lockFile(file, 'it')).rejects.toThrow(`is used by process ${pid} on c0ffee; stop it`)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(hostname()).not.toBe('c0ffee')
    await using _ = await lockFile(file, 'it')
  }
)

test('a lock file that is removed while it is opened does not leave two that each hold their own', async () => {
  const file = fresh()
  mkdirSync(join(file, '..'), { recursive: true })
  const held = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      if (i % 4 === 0) rmSync(file, { force: true })
      return lockFile(file, 'it').then(
        lock => lock,
        () => undefined
      )
    })
  )
  const [last] = await Promise.allSettled([lockFile(file, 'it')])
  // Whoever holds the file that is there now keeps others out.
  if (existsSync(file) && last!.status === 'fulfilled') held.push(last!.value)
  await expect(lockFile(file, 'it')).rejects.toThrow('is used by')
  for (const one of held) await one?.[Symbol.asyncDispose]()
})

test('a file that is not open for writing cannot be held', async () => {
  const file = fresh()
  writeFileSync(file, '')
  await using handle = await open(file, 'r')
  await expect(lockHandle(handle, 'it')).rejects.toThrow()
})
