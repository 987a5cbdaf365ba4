import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/**
 * What a device is to do with a file, written into its state folder by a command on the same machine: the network only
 * says which order is meant, so that nobody makes a device read files who could not read its state.
 */
const orderSchema = z.strictObject({ name: z.string().min(1), file: z.string().min(1) })
export type ModelOrder = z.output<typeof orderSchema>

const folderOf = (state: string): string => join(state, 'orders')

/** @returns what to call it on the network, and how to take it back */
export const writeModelOrder = async (
  state: string,
  order: ModelOrder
): Promise<{ readonly token: string; readonly withdraw: () => Promise<void> }> => {
  const token = randomUUID()
  const file = join(folderOf(state), token)
  await mkdir(folderOf(state), { recursive: true, mode: 0o700 })
  await writeFile(file, JSON.stringify(order), { mode: 0o600, flag: 'wx' })
  return { token, withdraw: () => rm(file, { force: true }) }
}

/** Once. @throws Error when there is no such order */
export const takeModelOrder = async (state: string, token: string): Promise<ModelOrder> => {
  if (!/^[0-9a-f-]{36}$/.test(token)) throw new Error('no order of this device')
  const file = join(folderOf(state), token)
  try {
    return orderSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    throw new Error('the order is not in the state folder of this device; use the command on its own machine')
  } finally {
    await rm(file, { force: true })
  }
}
