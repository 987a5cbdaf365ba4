import { describe, expect, it } from 'vitest'
import { milliseconds, seconds } from '../../core/units.ts'
import { createManualClock } from '../../testing/manual-clock.ts'
import { dialRace } from './dial-race.ts'

/** Addresses are what happens there: "hole" swallows, "no" fails at once, "yes 40" answers after 40 ms. */
const race = (addresses: readonly string[], done = () => false) => {
  const clock = createManualClock()
  const stop = new AbortController()
  const began: { readonly address: string; readonly at: number }[] = []
  const ended: string[] = []
  let atOnce = 0
  let mostAtOnce = 0
  const attempt = async (address: string, signal: AbortSignal): Promise<boolean> => {
    began.push({ address, at: Math.round(clock.now() * 1000) })
    mostAtOnce = Math.max(mostAtOnce, ++atOnce)
    const wait =
      address === 'hole' ? seconds(6) : address === 'no' ? seconds(0) : milliseconds(Number(address.slice(4)))
    const isInTime = await clock.sleep(wait, { signal }).then(
      () => address.startsWith('yes'),
      () => false
    )
    atOnce--
    ended.push(`${address}${signal.aborted ? ' given up' : ''}`)
    return isInTime
  }
  let result: boolean | undefined
  const over = dialRace(addresses, attempt, { clock, signal: stop.signal, done }).then(won => {
    result = won
  })
  return { clock, stop, began, ended, over, result: () => result, mostAtOnce: () => mostAtOnce }
}

describe('a race of dials', () => {
  it('is not held up by a first address that swallows everything', async () => {
    const { clock, began, ended, result } = race(['hole', 'yes 40'])
    await clock.advance(milliseconds(249))
    expect([began.length, result()]).toEqual([1, undefined])
    await clock.advance(milliseconds(41))
    expect([result(), began.map(({ at }) => at)]).toEqual([true, [0, 250]])
    await clock.advance(seconds(1))
    expect(ended).toEqual(['yes 40', 'hole given up'])
  })

  it('goes on to the next address at once when one fails, and asks no more than it needs', async () => {
    const { clock, began, result } = race(['no', 'no', 'yes 10', 'yes 10'])
    await clock.advance(milliseconds(10))
    expect([result(), began.map(({ address }) => address)]).toEqual([true, ['no', 'no', 'yes 10']])
  })

  it('of twenty black holes and one good address is over in the time of its head starts, with eight at once', async () => {
    const { clock, result, mostAtOnce } = race([...Array(7).fill('hole'), 'yes 40', ...Array(13).fill('hole')])
    await clock.advance(milliseconds(7 * 250 + 41))
    expect([result(), mostAtOnce()]).toEqual([true, 8])
  })

  it('is lost when all fail, and when there is none', async () => {
    const lost = race(['no', 'hole', 'no'])
    await lost.clock.advance(seconds(7))
    expect(lost.result()).toBe(false)
    const empty = race([])
    await empty.over
    expect(empty.result()).toBe(false)
  })

  it('ends when it is stopped, or is not needed any more', async () => {
    const stopped = race(['hole', 'hole'])
    stopped.stop.abort()
    await stopped.clock.advance(seconds(0))
    expect(stopped.result()).toBe(false)
    const needless = race(['hole'], () => true)
    await needless.over
    expect([needless.result(), needless.began]).toEqual([true, []])
  })
})
