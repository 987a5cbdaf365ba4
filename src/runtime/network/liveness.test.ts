import { describe, expect, it } from 'vitest'
import { deviceId } from '../../core/ids.ts'
import { type Seconds, seconds } from '../../core/units.ts'
import { createManualClock, type ManualClock } from '../../testing/manual-clock.ts'
import { Liveness } from './liveness.ts'

const shed = deviceId('shed')
const porch = deviceId('porch')

const watch = () => {
  const clock = createManualClock()
  const log: string[] = []
  const say = (what: string) => (peer: string, silence?: Seconds) =>
    log.push(`${clock.now().toFixed(2)} ${peer} ${what}${silence === undefined ? '' : ` ${silence.toFixed(1)} s`}`)
  const parts = { onSilent: say('silent'), onBack: say('back'), onDead: say('dead') }
  const liveness = new Liveness({ clock, suspectAfter: seconds(3), ...parts })
  return { clock, log, liveness }
}

const pass = async (clock: ManualClock, liveness: Liveness, duration: number, each: () => void = () => {}) => {
  for (let i = 0; i < Math.round(duration / liveness.interval); i++) {
    await clock.advance(liveness.interval)
    each()
    liveness.look()
  }
}

describe('liveness', () => {
  it('takes a peer for gone after three seconds of silence, and for back when it speaks', async () => {
    const { clock, log, liveness } = watch()
    liveness.add(shed)
    liveness.add(porch)
    await pass(clock, liveness, 4, () => liveness.heard(porch))
    expect([liveness.isSilent(shed), liveness.isSilent(porch)]).toEqual([true, false])
    liveness.heard(shed)
    await pass(clock, liveness, 1)
    expect(log).toEqual(['3.25 shed silent 3.3 s', '4.00 shed back'])
  })

  it('does not take its own sleep for the silence of others', async () => {
    const { clock, log, liveness } = watch()
    liveness.add(shed)
    await pass(clock, liveness, 1)
    await clock.advance(seconds(600)) // stopped and continued: no look in between
    liveness.look()
    await pass(clock, liveness, 1)
    expect(log).toEqual([])
    await pass(clock, liveness, 2)
    expect(log).toEqual(['603.00 shed silent 3.5 s']) // a little more patient: it has just been late itself
  })

  it('gives a peer up that stays silent', async () => {
    const { clock, log, liveness } = watch()
    liveness.add(shed)
    await pass(clock, liveness, 60.5)
    expect(log.at(-1)).toBe('60.50 shed dead')
    expect(liveness.remove(shed)).toBe(true)
    expect(liveness.isSilent(shed)).toBe(false)
  })

  it('is the more patient with a peer the longer that was silent lately, and forgets it', async () => {
    const { clock, log, liveness } = watch()
    liveness.add(shed)
    /** Heard every 2.5 s: it is starved. */
    const late = async (times: number) => {
      for (let i = 0; i < times; i++) {
        await pass(clock, liveness, 2.5)
        liveness.heard(shed)
      }
    }
    await late(4)
    await pass(clock, liveness, 4.25)
    expect(log).toEqual([])
    await pass(clock, liveness, 1)
    expect(log).toEqual(['14.75 shed silent 4.8 s'])
    liveness.heard(shed)
    await pass(clock, liveness, 200, () => liveness.heard(shed))
    log.length = 0
    await pass(clock, liveness, 3.25)
    expect(log).toHaveLength(1) // on time for minutes: three seconds are unusual again
  })

  it('a long silence does not make it blind to the next one', async () => {
    const { clock, log, liveness } = watch()
    liveness.add(shed)
    await pass(clock, liveness, 30)
    liveness.heard(shed)
    log.length = 0
    await pass(clock, liveness, 12.5)
    expect(log).toHaveLength(1)
  })

  it('doubts its own ears while it is late itself', async () => {
    const { clock, log, liveness } = watch()
    liveness.add(shed)
    for (let i = 0; i < 40; i++) {
      await clock.advance(seconds(0.75)) // three times as long as it should be between two looks
      if (i % 10 === 0) liveness.heard(shed)
      liveness.look()
    }
    expect(log).toEqual([])
    await pass(clock, liveness, 12)
    expect(log).toHaveLength(1)
  })

  it('tells how late everything is here: by the looks of the last seconds, no more than four times, and forgets it', async () => {
    const { clock, liveness } = watch()
    const look = async (times: number, every: number) => {
      for (let i = 0; i < times; i++) {
        await clock.advance(seconds(every))
        liveness.look()
      }
    }
    await look(20, 0.25)
    expect(liveness.lateness).toBe(1)
    await look(40, 0.75)
    expect(liveness.lateness).toBeCloseTo(3, 1)
    await look(60, 30)
    expect(liveness.lateness).toBeCloseTo(4, 1)
    await look(80, 0.25)
    expect(liveness.lateness).toBeCloseTo(1, 1)
  })
})
