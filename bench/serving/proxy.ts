/**
 * The obvious way to several servers: what comes is passed on to the next of them, or to the one that has the fewest requests
 * open. `node proxy.js (round-robin|least-connections) PORT...`; says its port; ends with its parent.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'

const [how = '', ...ports] = process.argv.slice(2)
const servers = ports.map(port => ({ pool: new Pool(`http://127.0.0.1:${port}`), open: 0 }))
let next = 0

const chosen = (): (typeof servers)[number] => {
  // Of those that are alike the next in turn.
  const inTurn = servers.map((_, i) => servers[(next + i) % servers.length]!)
  next = (next + 1) % servers.length
  return how === 'round-robin' ? inTurn[0]! : inTurn.reduce((least, one) => (one.open < least.open ? one : least))
}

const server = createServer((request, response) => {
  const to = chosen()
  to.open++
  response.once('close', () => to.open--)
  const { method = 'POST', url = '/', headers } = request
  const { 'content-type': type = 'application/octet-stream', 'content-length': length = '0' } = headers
  to.pool
    .stream(
      { method, path: url, headers: { 'content-type': type, 'content-length': length }, body: request },
      ({ statusCode, headers: answered }) => response.writeHead(statusCode, answered as Record<string, string>)
    )
    .catch(() => response.destroy())
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
process.stdin.on('close', () => process.exit()).resume()
