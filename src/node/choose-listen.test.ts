import { createServer, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { UserError } from '../core/user-error.ts'
import { chooseListen } from './choose-listen.ts'

const servers: Server[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => new Promise(resolve => server.close(resolve))))
})

/** Somebody listens there. */
const taken = async (port = 0, host = '0.0.0.0'): Promise<number> => {
  const server = createServer().listen(port, host)
  servers.push(server)
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject))
  return (server.address() as { port: number }).port
}
const free = async (): Promise<number> => {
  const port = await taken()
  await new Promise(resolve => servers.pop()!.close(resolve))
  return port
}
const before = (port: number) => ({ name: 'a', id: 'x', keyFile: '/k', addresses: [`/ip4/10.0.0.1/tcp/${port}/p2p/x`] })

test('a free port is taken as it is, and 0 is any', async () => {
  const port = await free()
  expect(await chooseListen({ listen: [], port, anyPort: false }, undefined)).toEqual([`0.0.0.0:${port}`])
  expect(await chooseListen({ listen: [], port: 0, anyPort: false }, undefined)).toEqual(['0.0.0.0:0'])
})

test('a port in use is refused, also where it is in use on one address only', async () => {
  for (const host of ['0.0.0.0', '127.0.0.1']) {
    const port = await taken(0, host)
    const chosen = chooseListen({ listen: [], port, anyPort: false }, undefined)
    await expect(chosen).rejects.toThrow(UserError)
    await expect(chosen).rejects.toMatchObject({ code: 'portInUse', facts: { port } })
  }
})

test('anyPort takes the next free one, and keeps the one it had while that is free', async () => {
  const port = await taken()
  const [next] = await chooseListen({ listen: [], port, anyPort: true }, undefined)
  const chosen = Number(next!.split(':')[1])
  expect(chosen).toBeGreaterThan(port)
  expect(await chooseListen({ listen: [], port, anyPort: true }, before(chosen + 5))).toEqual([`0.0.0.0:${chosen + 5}`])
  // A port outside of the range was of another choice.
  expect(await chooseListen({ listen: [], port, anyPort: true }, before(1))).toEqual([next])
})

test('an address is looked at before anything else is done', async () => {
  const port = await taken(0, '127.0.0.1')
  const chosen = chooseListen({ listen: ['127.0.0.1:0', `127.0.0.1:${port}`], port: 0, anyPort: false }, undefined)
  await expect(chosen).rejects.toThrow(new RegExp(`cannot listen on 127.0.0.1:${port}: the port is in use`))
  const listen = ['127.0.0.1:0', `/ip4/127.0.0.1/tcp/${await free()}`]
  expect(await chooseListen({ listen, port: 0, anyPort: false }, undefined)).toEqual(listen)
})
