import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { refuseForTestbed } from '../bench/testbed/refuse-for-testbed.ts'
import { stopOnSignals } from '../bench/testbed/stop-on-signals.ts'
import { parseScenario } from '../src/core/scenario.ts'

const refused = (...events: object[]) => refusedWith({}, events)

const refusedWith = (model: object, events: readonly object[]) => {
  const links = {
    topology: 'none',
    media: [{ name: 'wifi', devices: ['porch', 'shed', 'attic'] }],
    pairs: [{ from: 'porch', to: 'attic' }]
  }
  const written = {
    devices: { porch: {}, shed: {}, attic: {} },
    links,
    models: { net: { blocks: [{ work: '10ms' }], activations: ['1KB', '1KB'], ...model } },
    sources: [{ name: 'cam', device: 'porch', model: 'net' }],
    events
  }
  return () => refuseForTestbed(parseScenario(written, 'x.yaml'), 'x.yaml')
}

test('the testbed refuses another rate of one pair of a medium, which its one bucket cannot have', () => {
  expect(refused({ at: '2s', link: 'porch->shed', bandwidth: '5Mbps' })).toThrow(
    /^x\.yaml: events: bandwidth of porch->shed at 2 s: the testbed holds the rate of a medium as a whole; change all of it/
  )
  expect(refused({ at: '2s', medium: 'wifi', bandwidth: '5Mbps' })).not.toThrow()
  expect(refused({ at: '2s', link: 'porch->attic', bandwidth: '5Mbps' })).not.toThrow()
  expect(refused({ at: '2s', link: 'porch->shed', latency: '5ms' })).not.toThrow()
})

test('the testbed refuses a device that becomes faster than a core', () => {
  expect(refused({ at: '2s', device: 'shed', speed: 1.5 })).toThrow(/^x\.yaml: events: speed 1\.5 of shed at 2 s:/)
})

test('the testbed refuses times that were measured elsewhere', () => {
  expect(refusedWith({ times: { shed: [20] } }, [])).toThrow(
    /^x\.yaml: models\.net\.times: the testbed computes for as long/
  )
})

test('the first signal to end stops, and the next ones do not end it half-way', () => {
  for (const first of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    const process = new EventEmitter()
    const said: string[] = []
    const signal = stopOnSignals(process, () => said.push('stopping'))
    expect(signal.aborted).toBe(false)
    for (const each of [first, 'SIGINT', 'SIGINT', 'SIGTERM', 'SIGHUP']) expect(process.emit(each)).toBe(true)
    expect(signal.reason).toEqual(new Error(`stopped by ${first}`))
    expect(said).toEqual(['stopping'])
  }
})
