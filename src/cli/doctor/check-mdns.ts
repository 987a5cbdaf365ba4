import { networkInterfaces } from 'node:os'
import createMulticast from 'multicast-dns'
import { type Seconds, seconds } from '../../core/units.ts'
import { MDNS_TAG } from '../../runtime/network/mdns-tag.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import type { Finding } from './finding.ts'

/** A device answers within a few milliseconds, over wireless within some hundred. */
const PATIENCE: Seconds = seconds(1.5)
/** One question may be lost, and a busy machine hears its own late. */
const TURNS = 4
const ELSE =
  'devices find each other by the invite and by addresses that they remember (--join), and mDNS may be off (--no-mdns)'

/** Asks the local network for devices: whether the question goes out and comes back, and who answers. */
export const checkMdns = async (): Promise<Finding> => {
  const check = 'mDNS'
  const outward = ownAddresses()
  if (outward.length === 0)
    return { check, state: 'note', found: 'this machine has no network but itself', remedy: ELSE }
  const { trouble, echoed, answers } = await askAround(outward)
  if (trouble !== undefined || !echoed)
    return {
      check,
      state: 'todo',
      found: trouble ?? `a question to 224.0.0.251:5353 was not heard here, on ${outward.join(', ')}`,
      remedy: `let the firewall pass UDP port 5353 and the network multicast; else ${ELSE}`
    }
  const who = answers.length === 0 ? 'no other device answered' : `answered: ${answers.join(', ')}`
  return { check, state: 'ok', found: `questions go out on ${outward.join(', ')}; ${who}` }
}

const ownAddresses = (): readonly string[] =>
  Object.values(networkInterfaces())
    .flat()
    .filter(address => address !== undefined && !address.internal && address.family === 'IPv4')
    .map(address => address!.address)

interface Heard {
  readonly trouble: string | undefined
  readonly echoed: boolean
  /** Addresses of others. */
  readonly answers: readonly string[]
}

const askAround = async (own: readonly string[]): Promise<Heard> => {
  const multicast = createMulticast()
  const answers = new Set<string>()
  let echoed = false
  let trouble: string | undefined
  const isOurs = (questions: readonly { readonly name: string }[] = []): boolean =>
    questions.some(({ name }) => name === MDNS_TAG)
  multicast.on('error', error => {
    trouble = `port 5353 cannot be used: ${error.message}`
  })
  multicast.on('warning', () => {}) // what others send is their business
  multicast.on('query', ({ questions }, { address }) => {
    if (isOurs(questions) && own.includes(address)) echoed = true
  })
  multicast.on('response', (response, { address }) => {
    if (isOurs(response.answers) && !own.includes(address)) answers.add(address)
  })
  try {
    for (let turn = 0; turn < TURNS && !echoed && trouble === undefined; turn++) {
      multicast.query({ questions: [{ name: MDNS_TAG, type: 'PTR' }] })
      await systemClock.sleep(PATIENCE)
    }
  } finally {
    multicast.destroy()
  }
  return { trouble, echoed, answers: [...answers].sort() }
}
