import { describe, expect, test } from 'vitest'
import type { ClusterStatus } from '../../runtime/device/device-status.ts'
import { FlowWatch } from './flow-watch.ts'
import { layOut } from './lay-out.ts'
import { whatLimits } from './what-limits.ts'

const device = (name: string, busy: number, links: object[] = []) => ({ name, busy, links })
const statusOf = (devices: object[], sources: object[], unplaced: object[] = []): ClusterStatus =>
  ({ devices, sources, placement: { unplaced } }) as unknown as ClusterStatus
const cam = { name: 'cam', device: 'porch', state: 'running', because: '' }

describe('what limits a cluster', () => {
  test('is a device that computes all the time, and it is marked', () => {
    const limit = whatLimits(statusOf([device('porch', 0.2), device('shed', 0.97)], [cam]), [])
    expect(limit).toMatchObject({ kind: 'device', marked: ['shed'] })
    expect(limit.headline).toBe('shed (97 %) computes all the time and limits the whole.')
  })

  test('is a link that is full, where it is fuller than any device', () => {
    const devices = [device('porch', 0.3, [{ to: 'shed', rate: 1000 }]), device('shed', 0.88)]
    const flows = [{ from: 'porch', to: 'shed', bytesPerSecond: 950 }]
    expect(whatLimits(statusOf(devices, [cam]), flows)).toMatchObject({ kind: 'link', marked: ['porch', 'shed'] })
    expect(whatLimits(statusOf(devices, [cam]), [{ ...flows[0]!, bytesPerSecond: 100 }])).toMatchObject({
      kind: 'device'
    })
  })

  test('is the sources where nothing else is used up', () => {
    expect(whatLimits(statusOf([device('porch', 0.4)], [cam]), [])).toMatchObject({ kind: 'source', marked: [] })
    expect(whatLimits(statusOf([device('porch', 0)], [{ ...cam, state: 'done' }]), [])).toMatchObject({
      kind: 'nothing'
    })
  })

  test('is a medium that all its links fill together; a rate that more was seen on is a guess and is not judged by', () => {
    const link = (to: string, rate = 1000) => ({ to, rate, medium: 'm', emulated: true })
    const devices = [device('a', 0.1, [link('b')]), device('b', 0.1, [link('c')]), device('c', 0.1)]
    const flows = (bytesPerSecond: number) => [
      { from: 'a', to: 'b', bytesPerSecond },
      { from: 'b', to: 'c', bytesPerSecond }
    ]
    expect(whatLimits(statusOf(devices, [cam]), flows(470))).toMatchObject({
      headline: 'The medium of a, b, c is full (94 %) and limits the whole.'
    })
    expect(whatLimits(statusOf(devices, [cam]), flows(900))).toMatchObject({ kind: 'source' })
  })

  test('is what the planner finds dearest, where something is used up', () => {
    const tight = [{ kind: 'device', name: 'attic', devices: ['attic'], use: 1, gain: 0.5 }]
    const plan = { sources: [{ rate: 10 }], tight } as unknown as Parameters<typeof whatLimits>[2]
    const limit = (busy: number) =>
      whatLimits(statusOf([device('porch', busy), device('attic', 0.5)], [{ ...cam, rate: 1 }]), [], plan)
    expect(limit(0.97)).toMatchObject({ kind: 'device', marked: ['attic'] })
    expect(limit(0.5)).toMatchObject({ kind: 'source' })
  })

  test('is not the sources while they are held: the planner says what, and how far from that the cluster is', () => {
    const tight = [{ kind: 'device', name: 'attic', devices: ['attic'], use: 1, gain: 0.5 }]
    const plan = { sources: [{ rate: 10 }], tight } as unknown as Parameters<typeof whatLimits>[2]
    const held = statusOf([device('porch', 0.5), device('attic', 0.5)], [{ ...cam, rate: 6, inFlight: 3, window: 3 }])
    expect(whatLimits(held, [], plan)).toMatchObject({
      marked: ['attic'],
      advice: expect.stringContaining('Only 60 % of what the planner reckons with')
    })
    expect(whatLimits(held, [])).toMatchObject({
      kind: 'nothing',
      headline: 'Nothing is used up, and yet the sources would bring more.'
    })
  })

  test('is not told while nobody plans', () => {
    const status = { ...statusOf([device('porch', 1)], [cam]), planner: null }
    expect(whatLimits(status, [])).toMatchObject({
      kind: 'trouble',
      headline: 'Nothing is planned: what limits the whole is not known.'
    })
  })

  test('is told while blocks are loaded, as long as data come home', () => {
    const limit = (rate: number) => {
      const status = statusOf([device('porch', 0.97)], [{ ...cam, rate }])
      return whatLimits({ ...status, placement: { ...status.placement, ready: false, models: { ocr: {} } } }, [])
    }
    expect(limit(2)).toMatchObject({ kind: 'device', marked: ['porch'] })
    expect(limit(0).headline).toBe('Blocks are being loaded: what limits the whole is not known.')
  })

  test('is what is wrong, before all of that', () => {
    const held = { ...cam, because: 'the disk is full' }
    expect(whatLimits(statusOf([device('porch', 1)], [held]), [])).toMatchObject({
      kind: 'trouble',
      advice: 'the disk is full'
    })
    const unplaced = { model: 'ocr', block: 3, because: 'it takes 9 MiB' }
    expect(whatLimits(statusOf([device('porch', 1)], [cam], [unplaced]), [])).toMatchObject({
      kind: 'trouble',
      headline: 'Block 3 of ocr fits on no device.'
    })
  })
})

test('what flows is what was sent over the last seconds; a device that was started anew counts from there', () => {
  const watch = new FlowWatch()
  const look = (time: number, bytesSent: number): void =>
    watch.look([device('a', 0, [{ to: 'b', bytesSent }])] as unknown as ClusterStatus['devices'], time)
  for (let t = 0; t <= 20; t++) look(t, 100 * t)
  expect(watch.flows()).toEqual([{ from: 'a', to: 'b', bytesPerSecond: 100 }])
  look(21, 0)
  expect(watch.flows()).toEqual([{ from: 'a', to: 'b', bytesPerSecond: 0 }])
  look(22, 50)
  expect(watch.flows()).toEqual([{ from: 'a', to: 'b', bytesPerSecond: 50 }])
})

test('devices are apart, and where they were while the same ones are there', () => {
  const radii = { x: 200, y: 100 }
  expect(layOut(['b', 'a'], radii)).toEqual(layOut(['a', 'b'], radii))
  expect(layOut(['a'], radii).get('a')).toEqual({ x: 0, y: 0 })
  const points = [
    ...layOut(
      Array.from({ length: 50 }, (_, i) => `d${i}`),
      radii
    ).values()
  ]
  const nearest = Math.min(...points.flatMap((a, i) => points.slice(i + 1).map(b => Math.hypot(a.x - b.x, a.y - b.y))))
  expect(nearest).toBeGreaterThan(5)
})
