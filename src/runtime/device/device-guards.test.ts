import { create } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { type DeviceId, deviceId } from '../../core/ids.ts'
import { InvariantError } from '../../core/invariant-error.ts'
import { seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import { proportionalPlacement } from '../../planner/proportional-placement.ts'
import { POLICIES } from '../../scheduler/policies.ts'
import {
  type LoneDevice,
  loneDevice,
  memorySink,
  numberSource,
  ownedCounting,
  resultsIn
} from '../../testing/lone-device.ts'
import {
  DeviceStateSchema,
  ManifestRequestSchema,
  type Request,
  RequestSchema,
  StatusRequestSchema
} from '../generated/tributary/v1/wire_pb.ts'
import type { NetworkHandlers } from '../ports/network.ts'
import { deviceReportSchema } from './device-status.ts'
import { notice } from './notice.ts'

const reportOf = ({ device }: LoneDevice) => device.status().devices[0]!
const jobsOf = (lone: LoneDevice) => Object.fromEntries(reportOf(lone).jobs.map(({ job, times }) => [job, times]))
const told = ({ said }: LoneDevice, words: string) => said.filter(text => text.includes(words))

/** A source that has all its results before long, unless what is done for it stands still. */
const started = async (lone: LoneDevice, count = 5) => {
  const sink = memorySink()
  await lone.device.addSource(numberSource(lone, 'cam', { count, sink }))
  await lone.device.start()
  return sink
}

test('what a device fails at ten times a second is told once, counted and shown; it does all the rest, and tells when it is over', async () => {
  let isBroken = true
  const lone = loneDevice({
    models: [ownedCounting('net', 2)]
  })
  lone.network.leadsTo = () => {
    if (isBroken) throw new Error('no table of links')
    return false
  }
  await using device = lone.device
  lone.network.peers = () => new Map([[deviceId('a stranger'), 'device']])
  const sink = await started(lone)
  await lone.clock.advance(seconds(12))
  expect(resultsIn(sink, 'cam@porch')).toHaveLength(5)
  const late = memorySink()
  await device.addModel(ownedCounting('more', 3))
  await device.addSource(numberSource(lone, 'late', { model: 'more', count: 7, sink: late }))
  await lone.clock.advance(seconds(5))
  expect(resultsIn(late, 'late@porch')).toHaveLength(7)
  expect(jobsOf(lone)['hearing how links are']).toBeGreaterThan(165)
  expect(told(lone, 'hearing how links are fails: no table of links')).toHaveLength(1)
  expect(reportOf(lone).troubles.join()).toContain('hearing how links are fails (1')
  isBroken = false
  await lone.clock.advance(seconds(6))
  expect(reportOf(lone).troubles).toEqual([])
  const { jobs } = deviceReportSchema.parse(JSON.parse(lone.states.at(-1)!.status))
  expect(jobs).toMatchObject([{ job: 'hearing how links are', lasts: false }])
})

test('what one says of itself that only looks is not kept: it owns no models, and is no device', async () => {
  const lone = loneDevice({ models: [ownedCounting('net', 2)] })
  let handlers: NetworkHandlers | undefined
  lone.network.start = async given => {
    handlers = given
  }
  const [observer, guest] = ['an observer', 'a guest'].map(deviceId) as [DeviceId, DeviceId]
  lone.network.peers = () =>
    new Map([
      [observer, 'observer'],
      [guest, 'guest']
    ])
  await using device = lone.device
  await device.start()
  const { id } = device.view.manifests()[0]!
  const stateOf = (from: DeviceId) =>
    create(DeviceStateSchema, { device: from, name: 'mallory', sequence: 1n, models: [{ model: id, owner: true }] })
  for (const from of [observer, guest]) handlers!.onState(from, stateOf(from))
  handlers!.onNotice(observer, notice('state', stateOf(observer)))
  expect([observer, guest].map(from => device.view.state(from)?.name)).toEqual([undefined, 'mallory'])
})

test('what a device has said counts no more once it is removed', async () => {
  const lone = loneDevice({ models: [ownedCounting('net', 2)] })
  let handlers: NetworkHandlers | undefined
  lone.network.start = async given => {
    handlers = given
  }
  await using device = lone.device
  await device.start()
  const [gone, away] = ['gone', 'away'].map(deviceId) as [DeviceId, DeviceId]
  for (const peer of [gone, away]) {
    handlers!.onPeer({ kind: 'joined', peer, role: 'device', life: 1n })
    handlers!.onState(
      peer,
      create(DeviceStateSchema, { device: peer, name: peer, sequence: 1n, life: 1n, elects: peer })
    )
  }
  handlers!.onPeer({ kind: 'left', peer: away, role: 'device', because: 'it was silent' })
  handlers!.onPeer({ kind: 'left', peer: gone, role: 'device', because: 'it was removed', isRemoved: true })
  expect(device.view.lost()).toEqual([away])
  expect(device.view.state(gone)?.elects).toBe('')
  await lone.clock.advance(seconds(200))
  expect([gone, away].map(peer => device.view.state(peer)?.name)).toEqual([undefined, 'away'])
})

test('a device that cannot be described goes on telling what it has', async () => {
  const lone = loneDevice({ models: [ownedCounting('net', 2)] })
  await using _ = lone.device
  const { counters } = lone.network
  lone.network.counters = () => {
    throw new Error('no counters')
  }
  const sink = await started(lone)
  await lone.clock.advance(seconds(5))
  expect(resultsIn(sink, 'cam@porch')).toHaveLength(5)
  expect(lone.states.at(-1)).toMatchObject({ status: '', models: [{ blocks: [{ block: 0 }, { block: 1 }] }] })
  lone.network.counters = counters
  expect(told(lone, 'describing itself fails: no counters')).toHaveLength(1)
  expect(jobsOf(lone)).toMatchObject({ 'telling that it is ready': 1, 'describing itself': expect.any(Number) })
})

test('a planner that fails plans again after a rest', async () => {
  let tries = 0
  const lone = loneDevice({
    models: [ownedCounting('net', 2)],
    place: async problem => {
      if (++tries < 3) throw new Error('no process for the planner')
      return proportionalPlacement(problem)
    }
  })
  await using device = lone.device
  const sink = await started(lone)
  await lone.clock.advance(seconds(1))
  expect([tries, jobsOf(lone)]).toEqual([1, { 'making a plan': 1 }])
  await lone.clock.advance(seconds(6))
  expect(resultsIn(sink, 'cam@porch')).toHaveLength(5)
  expect([tries, told(lone, 'making a plan fails').length, device.status().placement.ready]).toEqual([3, 1, true])
})

test('data wait while the policy fails, and go on when it works again', async () => {
  let isBroken = true
  const { createPolicy } = { createPolicy: POLICIES.confluence }
  const lone = loneDevice({
    models: [ownedCounting('net', 2)],
    createPolicy: host => {
      const policy = createPolicy(host)
      return {
        ...policy,
        admit: (task, now) => {
          if (isBroken) throw new Error('prices are not numbers')
          return policy.admit(task, now)
        }
      }
    }
  })
  await using device = lone.device
  const sink = await started(lone)
  await lone.clock.advance(seconds(10))
  expect(sink.lines).toEqual([])
  expect(reportOf(lone).waiting).toMatchObject([{ because: 'the policy confluence failed: prices are not numbers' }])
  expect(told(lone, 'deciding where data go fails')).toHaveLength(1)
  isBroken = false
  await lone.clock.advance(seconds(5))
  await device.sourcesDone()
  expect(resultsIn(sink, 'cam@porch')).toHaveLength(5)
})

test('who only looks on disturbs nobody, and neither do blocks that fail or sources whose deadlines do', async () => {
  const fails = (): never => {
    throw new Error('the observer is broken')
  }
  const lone = loneDevice({
    models: [ownedCounting('net', 2)],
    observe: { ran: fails, sent: fails, admitted: () => {}, ended: () => {} }
  })
  await using _ = lone.device
  const broken = numberSource(lone, 'broken', { count: 5, sink: memorySink() })
  broken.tick = fails
  await lone.device.addSource(broken)
  const sink = await started(lone)
  await lone.clock.advance(seconds(5))
  expect(resultsIn(sink, 'cam@porch')).toHaveLength(5)
  expect(jobsOf(lone)).toMatchObject({ 'tracing what ran': 20 })
  expect(jobsOf(lone)['looking after source broken@porch']).toBeGreaterThan(40)
})

test('a source that fails ends, and says why; the others go on, and whoever waits for them hears of it then', async () => {
  const lone = loneDevice({ models: [ownedCounting('net', 1)] })
  await using device = lone.device
  const refusing = memorySink(() => {
    throw new Error('the database is gone')
  })
  await device.addSource(numberSource(lone, 'door', { count: 5, sink: refusing }))
  const sink = memorySink()
  await device.addSource(numberSource(lone, 'cam', { count: 50, sink, every: 0.1 }))
  await device.start()
  let end = ''
  const done = device.sourcesDone().catch(({ message }) => {
    end = message
  })
  await lone.clock.advance(seconds(3))
  expect(device.ownSources()).toMatchObject([
    { name: 'door', state: 'failed', because: 'the database is gone' },
    { name: 'cam', state: 'running' }
  ])
  expect([end, told(lone, 'source door@porch fails: the database is gone').length]).toEqual(['', 1])
  await lone.clock.advance(seconds(5))
  await done
  expect([end, sink.lines.length]).toEqual(['the database is gone', 50])
  expect(reportOf(lone).troubles).toEqual([
    expect.stringContaining('source door@porch fails (once): the database is gone')
  ])
  await device.removeSource('door@porch')
  expect(reportOf(lone).troubles).toEqual([])
  expect(reportOf(lone)).toMatchObject({ state: 'running' })
})

test('a broken invariant is not survived: said once, shown, told to programs, and all is ended', async () => {
  const lone = loneDevice({ models: [ownedCounting('net', 1)] })
  const { device } = lone
  const sink = memorySink()
  const broken = numberSource(lone, 'cam', { count: 5, sink })
  broken.tick = () => {
    if (sink.lines.length > 0) throw new InvariantError('datum 3 was admitted before')
  }
  await device.addSource(broken)
  await device.start()
  const failed = device.failed.then(({ message }) => message)
  await lone.clock.advance(seconds(5))
  expect(await failed).toBe('datum 3 was admitted before')
  await device.stop()
  expect(lone.stops).toEqual(['network', 'engine'])
  expect(told(lone, 'failed, and stops: datum 3 was admitted before')).toHaveLength(1)
  expect(lone.events.filter(({ event }) => event === 'failed')).toEqual([
    { event: 'failed', level: 'error', because: 'datum 3 was admitted before' }
  ])
  expect(reportOf(lone)).toMatchObject({ state: 'failed', because: 'datum 3 was admitted before' })
  expect(JSON.parse(lone.states.at(-1)!.status)).toMatchObject({ state: 'failed' })
})

test('a device whose listeners fail stops all the same', async () => {
  let isBroken = false
  const fails = (): void => {
    if (isBroken) throw new Error('the listener is broken')
  }
  const lone = loneDevice({ models: [ownedCounting('net', 1)], say: fails, event: fails })
  const source = numberSource(lone, 'cam', { count: 5, sink: memorySink() })
  source.tick = () => {
    if (isBroken) throw new InvariantError('datum 3 was admitted before')
  }
  await lone.device.addSource(source)
  await lone.device.start()
  isBroken = true
  await lone.clock.advance(seconds(5))
  expect((await lone.device.failed).message).toBe('datum 3 was admitted before')
  await lone.device.stop()
  expect(lone.stops).toEqual(['network', 'engine'])
  expect(jobsOf(lone)).toMatchObject({ 'saying that it failed': 1, 'telling that it failed': 1 })
})

test('a request whose answer fails is refused, told and counted; one that cannot be granted is only refused', async () => {
  const lone = loneDevice()
  let handlers: NetworkHandlers | undefined
  lone.network.start = async given => {
    handlers = given
  }
  await using device = lone.device
  await device.start()
  const { counters } = lone.network
  const ask = (body: Request['body']) => handlers!.onRequest(deviceId('other'), create(RequestSchema, { body }))
  lone.network.counters = () => {
    throw new Error('no counters')
  }
  await expect(ask({ case: 'status', value: create(StatusRequestSchema) })).rejects.toThrow('no counters')
  lone.network.counters = counters
  expect(jobsOf(lone)['answering requests']).toBe(1)
  expect(told(lone, 'answering requests fails: no counters')).toHaveLength(1)
  expect((await ask({ case: 'manifest', value: create(ManifestRequestSchema, { model: 'none' }) })).error).toMatch(
    /not known/
  )
  expect(jobsOf(lone)['answering requests']).toBe(1)
})

test('two models of one name are refused, and the name of a source is free when it is through', async () => {
  const twice = [ownedCounting('net', 1), ownedCounting('net', 2)]
  expect(() => loneDevice({ models: twice })).toThrow(
    expect.objectContaining({ code: 'nameTaken', facts: { name: 'net' } })
  )
  const lone = loneDevice({ models: [ownedCounting('net', 1)] })
  await using device = lone.device
  await started(lone, 3)
  const another = () => device.addSource(numberSource(lone, 'cam', { count: 4, sink: again }))
  const again = memorySink()
  await expect(another()).rejects.toMatchObject({ code: 'nameTaken' })
  await lone.clock.advance(seconds(3))
  await another()
  await lone.clock.advance(seconds(3))
  await device.sourcesDone()
  expect(resultsIn(again, 'cam@porch')).toHaveLength(4)
})

test('a start that fails half way ends what it had begun, and tells what went wrong first', async () => {
  const lone = loneDevice({ models: [ownedCounting('net', 1)] })
  const { device, network } = lone
  network.start = () => Promise.reject(new UserError('port 6174 is in use'))
  const source = numberSource(lone, 'cam', { count: 5, sink: memorySink() })
  await device.addSource(source)
  await expect(device.start()).rejects.toThrow('port 6174 is in use')
  expect(lone.stops).toEqual(['network', 'engine'])
  expect(source.status().state).toBe('stopped')
  expect(reportOf(lone).state).toBe('stopped')
  await expect(device.start()).rejects.toThrow('port 6174 is in use')
})

test('a device that is stopped while it starts does not go on starting', async () => {
  const lone = loneDevice()
  let begin: (speed: number) => void = () => {}
  let hasStarted = false
  lone.engine.calibrate = () => new Promise(resolve => (begin = resolve))
  lone.network.start = async () => {
    hasStarted = true
  }
  const start = lone.device.start()
  await lone.device.stop()
  begin(1)
  await expect(start).rejects.toThrow('the device stops')
  expect([hasStarted, lone.stops]).toEqual([false, ['network', 'engine']])
})

test('the engine is stopped though the network fails to', async () => {
  const lone = loneDevice()
  await lone.device.start()
  lone.network.stop = () => Promise.reject(new Error('a socket hangs'))
  await expect(lone.device.stop()).rejects.toThrow('a socket hangs')
  expect(lone.stops).toEqual(['engine'])
})

test('what the caller hands in is not written to', async () => {
  const model = Object.freeze({ ...ownedCounting('net', 2), shapes: Object.freeze(new Map()) })
  const lone = loneDevice({ models: Object.freeze([model]) })
  await using device = lone.device
  const submitted: unknown[] = []
  const sink = memorySink()
  const source = numberSource(
    {
      ...lone,
      device: {
        ...device,
        view: device.view,
        submit: task => {
          submitted.push(Object.freeze(task))
          device.submit(task)
        }
      } as typeof device
    },
    'cam',
    { count: 5, sink }
  )
  await device.addSource(source)
  await device.start()
  await lone.clock.advance(seconds(5))
  expect([resultsIn(sink, 'cam@porch').length, submitted.length]).toEqual([5, 5])
})
