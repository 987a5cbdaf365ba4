import { expect, test } from 'vitest'
import { checkLinks } from './check-links.ts'

const end = (rate: number, bytesSent = 1e9) => ({ rate, latency: 0.003, bytesSent })

test.each([
  ['both ways well', end(6e6), end(3e6), 'ok', /there 5\.72 MiB\/s, back 2\.86 MiB\/s, latency 3\.00 ms/],
  ['one end that has no link', end(6e6), null, 'todo', /back none/],
  ['a slow one', end(6e6), end(100e3), 'todo', /97\.7 KiB\/s/],
  ['one that was hardly used', end(6e6, 1e4), end(100e3), 'ok', /little has passed yet/],
  ['one way much slower', end(60e6), end(1e6), 'note', /57\.2 MiB\/s/]
])('%s', (_, there, back, state, found) => {
  const [finding] = checkLinks([{ from: 'porch', to: 'shed', there, back }])
  expect(finding).toMatchObject({ check: 'link to shed', state, found: expect.stringMatching(found) })
  expect(finding!.remedy === undefined).toBe(state === 'ok')
})
