import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { DeviceId } from '../../src/core/ids.ts'
import { notice } from '../../src/runtime/device/notice.ts'
import { MembersRequestSchema } from '../../src/runtime/generated/tributary/v1/wire_pb.ts'
import type { HostileMember, RequestBody } from '../../src/testing/hostile-member.ts'
import { type Attack, again, type Stage } from './attack.ts'
import { ofNet, SOURCE } from './of-net.ts'

// What a member says that is not so: of placements, results, itself, and others.

/** To all that it knows. */
const toAll = ({ network }: HostileMember, send: (peer: DeviceId) => void): void => {
  for (const peer of network.peers().keys()) send(peer)
}

const placements: Attack = {
  name: 'placements',
  what: 'a member sends placements of the highest terms and numbers to all',
  once: 'planning ends for good, also for newcomers',
  unit: 'notices',
  isQuick: true,
  play: async stage => {
    const member = await stage.member()
    let term = 2 ** 32 - 1
    await again(stage.signal, 0.02, () => {
      for (const number of [1, 999_999, 2 ** 32 - 1])
        toAll(member, peer => {
          const planner = number === 1 ? peer : member.network.self
          member.network.notify(peer, notice('placement', { term, number, planner, models: [] }))
          stage.count()
        })
      term = term === 2 ** 32 - 1 ? 1_000_000 : term + 1
    })
  }
}

const election: Attack = {
  name: 'elections',
  what: 'a member claims that all elect it and that it follows placements of terms to come, and leaves blocks without a place',
  once: '',
  unit: 'states',
  isQuick: true,
  play: async stage => {
    const member = await stage.member()
    const { self } = member.network
    let term = 2 ** 31
    await again(stage.signal, 0.1, () => {
      const follows = { elects: self, follows: self, followsTerm: term++, canPlan: true, planningFor: 0.1 }
      member.network.publishState(member.state({ ...follows, memory: 2n ** 40n, speed: 1e4, readyEpoch: 2n ** 63n }))
      stage.count()
    })
  }
}

const forged = (name: string, what: string, once: string, rows: number): Attack => ({
  ...{ name, what, once, unit: 'results', isQuick: rows === 1 },
  play: async stage => {
    const member = await stage.member()
    const net = await ofNet(member, stage)
    let taken = 0
    let datum = 0
    const { owner } = stage.cluster
    await again(stage.signal, 0.005, async () => {
      stage.count()
      const sending = member.network.sendTask(owner, net.result(datum++ % 2000), net.output(rows))
      if ((await sending.answered).kind === 'accepted') taken++
    }).finally(() => stage.note(`${taken} of them taken`))
  }
})

const falseWords: Attack = {
  name: 'false custody, losses, failures',
  what: 'a member says of data that it was not given that it has them, lost them, failed at them',
  once: '',
  unit: 'notices',
  isQuick: true,
  play: async stage => {
    const member = await stage.member()
    const { owner } = stage.cluster
    await again(stage.signal, 0.005, () => {
      for (let i = 0; i < 20; i++) {
        const about = { source: SOURCE, datum: BigInt(Math.floor(Math.random() * 2000)), attempt: 1 }
        const token = new Uint8Array(16)
        member.network.notify(owner, notice('custody', { ...about, done: 1, token }))
        member.network.notify(owner, notice('lost', { ...about, device: member.network.self, token }))
        member.network.notify(owner, notice('failure', { ...about, block: 0, because: 'no', token }))
        stage.count(3)
      }
    })
  }
}

const accusations: Attack = {
  name: 'false accusations',
  what: 'a member says that all others fail at the model, and that its audits found them wrong',
  once: 'two devices are set aside on the word of one',
  unit: 'states',
  isQuick: true,
  play: async stage => {
    const member = await stage.member()
    const { id: model } = await ofNet(member, stage)
    let audited = false
    await again(stage.signal, 0.2, () => {
      const setAside = [...member.network.peers().keys()].map(device => ({
        ...{ device, model, seconds: 600, because: 'it answers wrongly', audited }
      }))
      audited = !audited
      member.network.publishState(member.state({ setAside }))
      stage.count()
    })
  }
}

/** It would be the best of all devices, had it what it says. */
const holeOfWords: Attack = {
  name: 'a black hole of words',
  what: 'a member says that it has all blocks and is a thousand times faster, takes every task and answers none',
  once: '17 results in 31 s',
  unit: 'states',
  isQuick: true,
  play: async stage => {
    const member = await stage.member()
    const net = await ofNet(member, stage)
    let taken = 0
    member.takes = () => {
      taken++
      return { kind: 'accepted' }
    }
    const blocks = Array.from({ length: net.blocks }, (_, block) => ({ block, seconds: 1e-6 }))
    const links = [...member.network.peers().keys()].map(to => ({ to, rate: 1e12, latency: 1e-6 }))
    const states = [...member.states.values()]
    await again(stage.signal, 0.5, () => {
      const readyEpoch = states.reduce((most, one) => (one.readyEpoch > most ? one.readyEpoch : most), 0n)
      const models = [{ model: net.id, owner: false, name: '', blocks, times: [] }]
      member.network.publishState(member.state({ speed: 1000, memory: 2n ** 34n, models, links, readyEpoch }))
      stage.count()
    }).finally(() => stage.note(`${taken} tasks taken`))
  }
}

const another: Attack = {
  name: "another's name",
  what: 'a member calls itself as the device with the source, and says what states of others are',
  once: '',
  unit: 'states',
  isQuick: true,
  play: async stage => {
    const member = await stage.member()
    const victims = [stage.cluster.owner, ...member.network.peers().keys()]
    const newest = 2n ** 62n
    await again(stage.signal, 0.1, () => {
      member.network.publishState(member.state({ name: 'cam' }))
      for (const device of victims) {
        const state = member.state({ device, name: 'cam', life: 0n, leaving: true, sequence: newest })
        member.network.publishState(state)
        toAll(member, peer => member.network.notify(peer, notice('state', state)))
        stage.count()
      }
    })
  }
}

const demands: Attack = {
  name: 'demands without measure',
  what: 'a member says that it has a thousand sources of a billion data a second, and links of no and of all speed',
  once: '',
  unit: 'states',
  isQuick: true,
  play: async stage => {
    const member = await stage.member()
    const { id: modelId } = await ofNet(member, stage)
    let turn = 0
    await again(stage.signal, 0.5, () => {
      // What no device has is not heard; what the fastest might have is.
      const rate = [1e4, 1e300, Number.POSITIVE_INFINITY, Number.NaN, 1e-300][turn++ % 5]!
      const sources = Array.from({ length: 1000 }, () => ({ model: 'net', modelId, rate: 1e5 * rate }))
      const links = [...member.network.peers().keys()].map(to => ({ to, rate, latency: 1 / rate, medium: 'air' }))
      member.network.publishState(member.state({ sources, links, speed: rate, memory: 2n ** 63n }))
      stage.count()
    })
  }
}

type MembersBody = NonNullable<MessageInitShape<typeof MembersRequestSchema>['body']>
const members = (body: MembersBody): RequestBody => ({
  case: 'members',
  value: create(MembersRequestSchema, { body })
})

/** Orders that only who holds the key may give, to all. @param role as it comes */
const orders = (role: 'device' | 'guest', what: string): Attack => {
  const codes = new Map<string, number>()
  return {
    name: role === 'guest' ? 'guests' : 'drain, removal, reload',
    ...{ what, once: role === 'guest' ? '' : 'any member ends any device', unit: 'requests', isQuick: true },
    play: async stage => {
      codes.clear()
      const member = await stage.member({ role })
      const peers = [...member.network.peers().keys()]
      const bodies: readonly RequestBody[] = [
        { case: 'drain', value: {} },
        { case: 'drain', value: { device: stage.cluster.owner } },
        { case: 'models', value: { body: { case: 'remove', value: { name: 'net' } } } },
        { case: 'models', value: { body: { case: 'update', value: '../../../etc/passwd' } } },
        { case: 'reload', value: {} },
        members({ case: 'remove', value: 'cam' }),
        members({ case: 'rotate', value: {} }),
        members({ case: 'key', value: {} })
      ]
      let turn = 0
      await again(stage.signal, 0.05, async () => {
        const body = bodies[turn % bodies.length]!
        const peer = peers[turn++ % peers.length]!
        stage.count()
        const error = await member.ask(peer, body).then(
          reply => reply.error,
          failure => `no answer: ${failure}`
        )
        const what = `${body.case} ${JSON.stringify(body.value)}`
        if (error === '') codes.set(what, (codes.get(what) ?? 0) + 1)
        if (role === 'guest') sayAsGuest(member, stage)
      })
    },
    fault: () => (codes.size === 0 ? undefined : `it may ${[...codes.keys()].join(', ')}`)
  }
}

/** What counts of devices is not to count of it. */
const sayAsGuest = ({ network, state, models }: HostileMember, { cluster }: Stage): void => {
  const [model] = models
  const offered = [{ model: model!, owner: true, name: 'net', revision: 2n ** 40n, blocks: [], times: [] }]
  const aside = [...network.peers().keys()].map(device => ({ device, model: model!, seconds: 600, because: 'no' }))
  const votes = { elects: network.self, follows: cluster.owner, followsTerm: 2 ** 30 }
  network.publishState(state({ name: 'guest', models: offered, setAside: aside, goneModels: [model!], ...votes }))
}

export const WORD_ATTACKS: readonly Attack[] = [
  placements,
  election,
  forged(
    'forged results',
    'a member sends results of data that it was never given',
    '109 of 800 results are recorded wrong',
    1
  ),
  forged(
    'results of another shape',
    'a member sends results of sixteen rows where one is declared',
    'they are recorded',
    16
  ),
  falseWords,
  accusations,
  holeOfWords,
  another,
  demands,
  orders('device', 'a member orders all devices to stop, give up models, read configs, remove members, change the key'),
  orders('guest', 'a guest orders the same, says that it owns the model and has left it, and accuses all')
]
