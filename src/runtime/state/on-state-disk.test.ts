import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { UserError } from '../../core/user-error.ts'
import { onStateDisk } from './on-state-disk.ts'
import { nextIncarnation, stateFolderOf, writeRunning } from './state-folder.ts'

const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })

test('a full disk is one line that names the flag, what is wrong and what to do', async () => {
  const refused = onStateDisk('mt/s', () => Promise.reject(full))
  await expect(refused).rejects.toThrow(UserError)
  await expect(refused).rejects.toThrow(
    /^mt\/s: the disk is full \(ENOSPC\); make room or give leave to write there, or choose another folder$/
  )
})

test('what was said in better words stays as it is, and so does a fault of the program', async () => {
  const said = new UserError('better words', { cause: full })
  await expect(onStateDisk('mt/s', () => Promise.reject(said))).rejects.toBe(said)
  const fault = new TypeError('undefined is not a function')
  await expect(onStateDisk('mt/s', () => Promise.reject(fault))).rejects.toBe(fault)
})

test('what every start writes is refused in one line where it cannot be written', async () => {
  const folder = stateFolderOf('shed', await mkdtemp(join(tmpdir(), 'tributary-disk-')))
  for (const name of ['incarnation', 'device.json']) await mkdir(join(folder.path, name))
  const running = { pid: 1, name: 'shed', id: 'x', addresses: [], keyFile: folder.keyFile }
  for (const write of [() => nextIncarnation(folder), () => writeRunning(folder, running)]) {
    const error = await write().catch(error => error)
    expect(error).toBeInstanceOf(UserError)
    expect(error.message.startsWith(`${folder.path}: is a folder, not a file (EISDIR)`)).toBe(true)
  }
})
