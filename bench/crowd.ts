import { Crowd, type Said } from '../src/testing/simulated/crowd.ts'
import { judge } from './judge.ts'

// What devices say to each other beside data, by the size of the cluster: the production device in simulated time, its messages
// encoded as on the wire. At rest, and while each is a source; then a device comes, and falls silent. Two processors cannot
// bear thirty processes that are in time; here none is late. Gossip's copies and pings are not in it. `npm run bench -- crowd [sizes]`

const SIZES = process.argv.slice(2).flatMap(word => (/^\d+$/.test(word) ? [Number(word)] : []))
/** Simulated seconds: to settle, and as many to count. */
const SPAN = 30
/** Messages a second that a device sends at most, whatever the size of the cluster: reports, and what little else there is. */
const MOST_MESSAGES = 110
/** The longest that a silent device is believed to be there, in seconds. */
const MOST_SILENCE = 4

const told = ({ messages, bytes, states, stateBytes }: Said): string =>
  `${messages.toFixed(1)} messages of ${(bytes / Math.max(messages, 1e-9)).toFixed(0)} bytes, ${(bytes / 1000).toFixed(1)} KB; ${states.toFixed(2)} states of ${(stateBytes / Math.max(states, 1e-9)).toFixed(0)} bytes`

const measure = async (size: number): Promise<void> => {
  const crowd = new Crowd(size)
  const together = await crowd.takes(() => crowd.know(size))
  const rest = await crowd.rates(SPAN)
  crowd.work(4 * SPAN)
  const work = await crowd.rates(SPAN)
  const comer = crowd.add('comer')
  const joined = await crowd.takes(() => crowd.know(size + 1))
  crowd.silence(comer)
  const lost = await crowd.takes(() => crowd.hasLost(comer))
  const say = (text: string): void => void process.stdout.write(text)
  say(`${size} devices at rest, each a second: ${told(rest)}\n`)
  say(judge(`${size} devices at work, each a second:`, told(work), work.messages, { atMost: MOST_MESSAGES }))
  say(
    `${size} devices: all together after ${together.toFixed(2)} s; one more is known to all after ${joined.toFixed(2)} s\n`
  )
  say(
    judge(`${size} devices: a silent one is gone for all after`, `${lost.toFixed(2)} s`, lost, { atMost: MOST_SILENCE })
  )
}

for (const size of SIZES.length > 0 ? SIZES : [5, 10, 20, 30]) await measure(size)
