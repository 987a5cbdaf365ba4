import { formatBytes, formatSeconds } from '../../core/format-quantity.ts'
import type { Finding } from './finding.ts'
import type { LinkEnd, LinkReport } from './link-report.ts'

/** Bytes a second: an image of 600 KB takes five seconds then. */
const SLOW = 125_000
/** Of less no rate is learnt that could be relied on. */
const ENOUGH = 2 ** 20
/** One direction so much slower than the other is no wireless network's habit. */
const UNLIKE = 10

export const checkLinks = (links: readonly LinkReport[]): readonly Finding[] => links.map(checkLink)

const checkLink = ({ from, to, there, back }: LinkReport): Finding => {
  const check = `link to ${to}`
  const found = `there ${rateOf(there)}, back ${rateOf(back)}${there === null ? '' : `, latency ${formatSeconds(there.latency)}`}`
  if (there === null || back === null)
    return {
      check,
      state: 'todo',
      found,
      remedy: `let firewalls pass the ports of ${from} and ${to} both ways, and start them with addresses that the other can reach (--listen)`
    }
  if (Math.min(there.bytesSent, back.bytesSent) < ENOUGH)
    return { check, state: 'ok', found: `${found} (little has passed yet)` }
  const [least, most] = [Math.min(there.rate, back.rate), Math.max(there.rate, back.rate)]
  if (least < SLOW)
    return {
      check,
      state: 'todo',
      found,
      remedy:
        'give one of them a cable or a better place; --activation-encoding auto on all devices sends fewer bytes over it'
    }
  if (most > UNLIKE * least)
    return { check, state: 'note', found, remedy: 'one way is much slower: look at cable, duplex and access point' }
  return { check, state: 'ok', found }
}

const rateOf = (end: LinkEnd | null): string => (end === null ? 'none' : `${formatBytes(Math.round(end.rate))}/s`)
