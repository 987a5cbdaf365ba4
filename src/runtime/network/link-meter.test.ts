import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seconds } from '../../core/units.ts'
import { LinkMeter } from './link-meter.ts'

describe('the measure of a link', () => {
  it('is unknown until both a round trip and a transfer were seen', () => {
    const meter = new LinkMeter()
    expect(meter.measure(false)).toBeUndefined()
    meter.pong(seconds(0.01))
    expect(meter.measure(false)).toBeUndefined()
    meter.answered(100_000, seconds(0), seconds(0.11))
    expect(meter.measure(false)).toMatchObject({ latency: 0.005, bytesSent: 0, shaped: false })
    expect(meter.measure(false)?.rate).toBeCloseTo(1e6, 0)
  })

  it('within one machine is what such a link can be, however late its ends were; not where the link is shaped', () => {
    const measured = (took: number, isLoopback: boolean, shaped = false) => {
      const meter = new LinkMeter()
      meter.connected(isLoopback)
      meter.pong(seconds(0))
      meter.answered(65_536, seconds(0), seconds(took))
      return meter.measure(shaped)!.rate
    }
    expect([measured(0, true), measured(0.0002, true), measured(2, true)]).toEqual([1e9, 65_536 / 0.0002, 1e8])
    expect([measured(0, false), measured(2, false), measured(2, true, true)].map(Math.round)).toEqual([
      2e10, 32_768, 32_768
    ])
  })

  it('is doubtful where the link was much faster once and has not been measured for a while', () => {
    const meter = new LinkMeter()
    meter.pong(seconds(0))
    let now = 0
    const pass = (rate: number): void => {
      meter.answered(100_000, seconds(now), seconds(now + 100_000 / rate))
      now += 100_000 / rate
    }
    for (let i = 0; i < 10; i++) pass(1e7)
    expect(meter.isDoubtful(seconds(now + 60))).toBe(false)
    for (let i = 0; i < 10; i++) pass(1e6)
    expect(meter.isDoubtful(seconds(now + 4))).toBe(false)
    expect(meter.isDoubtful(seconds(now + 6))).toBe(true)
    now += 6
    meter.doubt(seconds(now))
    expect(meter.isDoubtful(seconds(now + 1))).toBe(false)
    pass(1e7)
    expect(meter.measure(false)!.rate / 1e7).toBeCloseTo(1, 6)
    expect(meter.isDoubtful(seconds(now + 60))).toBe(false)
  })

  it('is doubtful where frames that are too small to measure it come late, one after the other', () => {
    const meter = new LinkMeter()
    meter.pong(seconds(0.002))
    meter.answered(64_000, seconds(0), seconds(0.012)) // 6.4 MB/s
    let now = 6
    const small = (count: number, rate: number): void => {
      for (let i = 0; i < count; i++, now += 0.1)
        meter.answered(20_000, seconds(now), seconds(now + 0.002 + 20_000 / rate))
    }
    small(50, 6.4e6)
    expect(meter.isDoubtful(seconds(now))).toBe(false)
    small(2, 6.4e5)
    small(1, 6.4e6)
    small(2, 6.4e5)
    expect(meter.isDoubtful(seconds(now))).toBe(false)
    small(1, 6.4e5)
    expect(meter.isDoubtful(seconds(now))).toBe(true)
    meter.doubt(seconds(now))
    expect(meter.isDoubtful(seconds(now + 60))).toBe(false)
  })

  it('finds the true rate and latency of a link, whether frames follow each other closely or not', () => {
    const gaps = fc.array(fc.double({ min: 0, max: 0.2, noNaN: true }), { minLength: 1, maxLength: 60 })
    const link = fc.record({
      rate: fc.integer({ min: 1e5, max: 1e9 }),
      latency: fc.double({ min: 0, max: 0.05, noNaN: true })
    })
    fc.assert(
      fc.property(gaps, link, fc.integer({ min: 32768, max: 5e6 }), (pauses, { rate, latency }, size) => {
        const meter = new LinkMeter()
        meter.pong(seconds(2 * latency))
        let now = 0
        let free = 0
        for (const pause of pauses) {
          now += pause // frames are handed over without waiting for the link: they queue in it
          free = Math.max(now, free) + size / rate
          meter.answered(size, seconds(now), seconds(free + 2 * latency))
        }
        const measured = meter.measure(false)
        expect(measured?.latency).toBeCloseTo(latency, 9)
        expect(measured!.rate / rate).toBeCloseTo(1, 3)
      })
    )
  })

  it('follows a link that becomes slower', () => {
    const meter = new LinkMeter()
    meter.pong(seconds(0))
    for (let i = 0; i < 50; i++) meter.answered(1e6, seconds(i), seconds(i + 0.1))
    for (let i = 50; i < 80; i++) meter.answered(1e6, seconds(i), seconds(i + 0.5))
    expect(meter.measure(true)?.rate).toBeCloseTo(2e6, -4)
  })

  it('is never infinite, and takes small frames for no measure', () => {
    const meter = new LinkMeter()
    meter.pong(seconds(0.001))
    meter.answered(10, seconds(0), seconds(1))
    expect(meter.measure(false)).toBeUndefined()
    meter.answered(1e6, seconds(1), seconds(1))
    expect(Number.isFinite(meter.measure(false)?.rate)).toBe(true)
  })

  describe('when the latency changes', () => {
    /** A link of 20 Mbit/s with a ping every 0.5 s and frames of `size` bytes on it while it is idle, 5 a second. */
    const idleLink = (size = 100_000) => {
      const meter = new LinkMeter()
      let now = 0
      const link = { meter, roundTrip: 0.006, rate: 2.5e6 }
      const pass = (duration: number): void => {
        for (const end = now + duration; now < end - 1e-9; now += 0.5) {
          for (let at = now; at < now + 0.49; at += 0.2)
            meter.answered(size, seconds(at), seconds(at + size / link.rate + link.roundTrip))
          meter.pong(seconds(link.roundTrip))
        }
      }
      meter.pong(seconds(0.006))
      meter.answered(65_536, seconds(-1), seconds(-1 + 65_536 / 2.5e6 + 0.006))
      return {
        link,
        pass,
        latency: () => meter.measure(true)!.latency,
        rate: () => meter.measure(true)!.rate,
        now: () => now
      }
    }

    it('believes three pings that agree, and takes the delay for no loss of rate', () => {
      const { link, pass, latency, rate } = idleLink()
      pass(5)
      link.roundTrip = 0.1
      pass(1.5)
      expect(latency()).toBeCloseTo(0.05, 9)
      expect(rate() / link.rate).toBeCloseTo(1, 6)
      pass(5)
      expect(rate() / link.rate).toBeCloseTo(1, 6)
    })

    it('takes frames that came too early for the old one for no gain of rate either', () => {
      const { link, pass, latency, rate } = idleLink()
      pass(5)
      link.roundTrip = 0.1
      pass(5)
      link.roundTrip = 0.006
      pass(0.5)
      expect(latency()).toBeCloseTo(0.003, 9)
      expect(rate() / link.rate).toBeCloseTo(1, 6)
    })

    it('does not measure the link anew for late small frames', () => {
      const { link, pass, now } = idleLink(1000)
      pass(5)
      link.roundTrip = 0.1
      pass(0.5)
      expect(link.meter.isDoubtful(seconds(now()))).toBe(false)
      pass(5)
      expect(link.meter.isDoubtful(seconds(now()))).toBe(false)
    })

    it('learns rate and latency that change together', () => {
      const { link, pass, latency, rate } = idleLink()
      pass(5)
      link.roundTrip = 0.1
      link.rate = 1e6
      pass(6)
      expect(latency()).toBeCloseTo(0.05, 9)
      expect(rate() / link.rate).toBeCloseTo(1, 1)
    })

    it('does not believe pings that were late by chance, or behind frames', () => {
      const meter = new LinkMeter()
      meter.pong(seconds(0.006))
      meter.answered(65_536, seconds(0), seconds(0.032))
      const latency = () => meter.measure(false)!.latency
      for (const late of [0.05, 0.02, 0.09, 0.03, 0.2, 0.05, 0.1]) meter.pong(seconds(late))
      expect(latency()).toBeCloseTo(0.003, 9)
      meter.pong(seconds(0.006))
      for (let i = 0; i < 8; i++) meter.pong(seconds(0.5), false)
      expect(latency()).toBeCloseTo(0.003, 9)
      meter.pong(seconds(0.1))
      meter.pong(seconds(0.1))
      meter.pong(seconds(0.007))
      meter.pong(seconds(0.1))
      expect(latency()).toBeCloseTo(0.003, 9)
    })

    it('learns from frames beside a late ping when the next one was not', () => {
      const meter = new LinkMeter()
      meter.pong(seconds(0.006))
      meter.answered(100_000, seconds(0), seconds(0.046))
      meter.pong(seconds(0.05))
      for (let i = 1; i <= 20; i++) meter.answered(100_000, seconds(i), seconds(i + 0.106))
      expect(meter.measure(false)!.rate / 2.5e6).toBeCloseTo(1, 6)
      meter.pong(seconds(0.006))
      expect(meter.measure(false)!.rate / 1e6).toBeCloseTo(1, 1)
    })

    it('goes on learning from frames that follow each other closely while a ping is late', () => {
      const meter = new LinkMeter()
      meter.pong(seconds(0.006))
      meter.answered(100_000, seconds(0), seconds(0.046))
      meter.pong(seconds(0.05))
      for (let i = 1; i <= 20; i++) meter.answered(100_000, seconds(0), seconds(0.046 + i * 0.1))
      expect(meter.measure(false)!.rate / 1e6).toBeCloseTo(1, 1)
    })
  })
})
