import { randomBytes } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import { blockHash } from '../../src/core/ids.ts'
import type { ModelManifest } from '../../src/core/manifest.ts'
import { bytes, seconds } from '../../src/core/units.ts'
import { manifestId } from '../../src/runtime/cluster/manifest-codec.ts'
import { notice } from '../../src/runtime/device/notice.ts'
import { TaskSchema } from '../../src/runtime/generated/tributary/v1/wire_pb.ts'
import type { HostileMember } from '../../src/testing/hostile-member.ts'
import { type Attack, again } from './attack.ts'
import { ofNet } from './of-net.ts'

// More than anybody needs, of a member that speaks the protocol of devices as it is to be spoken.

/** One that nobody has a file of, as an owner would describe it. */
const inventedModel = (name: string, blocks: number, each: number): ModelManifest => {
  const tensors = [{ name: 'x', type: 'float32' as const, shape: [1] }]
  const facts = {
    blocks: Array.from({ length: blocks }, () => ({
      ...{ sha256: blockHash(randomBytes(32).toString('hex')), bytes: bytes(each), fileBytes: bytes(each) },
      ...{ flops: 1, work: seconds(0.001) }
    })),
    activations: Array.from({ length: blocks + 1 }, () => ({ bytes: bytes(4), tensors })),
    ...{ inputs: tensors, outputs: ['x'] }
  }
  return { id: manifestId(facts), name, sha256: randomBytes(32).toString('hex'), ...facts }
}

/** It says that it owns them and that its sources want them, and answers who asks for them. */
const offer = async (member: HostileMember, manifests: readonly ModelManifest[]): Promise<void> => {
  for (const manifest of manifests) await member.owns(manifest)
  const models = manifests.map(({ id, name }) => ({
    model: id,
    name,
    owner: true,
    revision: 1n,
    blocks: [],
    times: []
  }))
  const sources = manifests.map(({ id, name }) => ({ model: name, modelId: id, rate: 10 }))
  member.network.publishState(member.state({ models, sources, memory: 2n ** 40n }))
}

const offering = (
  name: string,
  what: string,
  once: string,
  make: () => readonly ModelManifest[],
  isQuick = false
): Attack => ({
  ...{ name, what, once, unit: 'models', isQuick },
  play: async stage => {
    const member = await stage.member()
    const manifests = make()
    stage.count(manifests.length)
    await again(stage.signal, 1, () => offer(member, manifests))
  }
})

/** Others each time: whoever is asked for one has forgotten the former. */
const modelsWithoutEnd: Attack = {
  name: 'models without end',
  what: 'a member owns forty other models of a few blocks each second',
  once: '',
  unit: 'models',
  isQuick: true,
  play: async stage => {
    const member = await stage.member()
    await again(stage.signal, 1, async () => {
      await offer(
        member,
        Array.from({ length: 40 }, (_, i) => inventedModel(`one ${i}`, 4, 1000))
      )
      stage.count(40)
    })
  }
}

const states: Attack = {
  name: 'states of 0.4 MB',
  what: 'a member publishes states of 0.4 MB as fast as it can, with line breaks and escape sequences in names',
  once: 'one of them makes 1.2 GB of log in 35 s',
  unit: 'states',
  isQuick: true,
  play: async stage => {
    const member = await stage.member()
    const name = 'x\u001b[31m\n'.repeat(20)
    const links = Array.from({ length: 4000 }, (_, i) => ({
      ...{ to: `${i}${name}`.slice(0, 100), rate: 1e9, latency: 0, medium: '' }
    }))
    await again(stage.signal, 0.02, () => {
      member.network.publishState(member.state({ name, links }))
      stage.count()
    })
  }
}

const largePlacements: Attack = {
  name: 'a placement of 8 MB',
  what: 'a member sends placements with two million numbers',
  once: '900 MB and 20 s',
  unit: 'notices',
  play: async stage => {
    const member = await stage.member()
    const blocks = Array.from({ length: 250 }, (_, i) => i)
    const devices = Array.from({ length: 8000 }, (_, i) => ({ device: `12D3KooW${i}`, blocks }))
    const placement = { planner: member.network.self, models: [{ model: 'net', devices, unplaced: [] }] }
    await again(stage.signal, 2, () => {
      member.network.notify(stage.cluster.owner, notice('placement', { ...placement, term: 2, number: 1 }))
      stage.count()
    })
  }
}

/** A source that nobody else has. */
const tasksOfItsOwn: Attack = {
  name: 'tasks without end',
  what: 'a member sends tasks of its own as fast as they are taken, each of the whole weight of a source',
  once: '',
  unit: 'tasks',
  play: async stage => {
    const member = await stage.member()
    const net = await ofNet(member, stage)
    const { self } = member.network
    member.takes = () => ({ kind: 'accepted' })
    member.network.publishState(member.state({}))
    let datum = 0
    let refused = 0
    await again(stage.signal, 0.02, async () => {
      const sending = Array.from({ length: 20 }, () => {
        const about = { source: 'mine@mallory', datum: BigInt(datum++), model: net.id, home: self, weight: 1e9 }
        const task = create(TaskSchema, { ...about, attempt: 1, token: randomBytes(16) })
        stage.count()
        return member.network.sendTask(stage.cluster.owner, task, net.input()).answered
      })
      for (const { kind } of await Promise.all(sending)) if (kind === 'refused') refused++
    }).finally(() => stage.note(`${refused} of them refused`))
  }
}

const requests: Attack = {
  name: 'requests without end',
  what: 'a member asks for the status, the way of each datum and manifests of models as fast as it is answered',
  once: '',
  unit: 'requests',
  isQuick: true,
  play: async stage => {
    const member = await stage.member()
    const { owner } = stage.cluster
    const { id: model } = await ofNet(member, stage)
    await again(stage.signal, 0.01, async () => {
      const bodies = [
        { case: 'status', value: {} },
        { case: 'steps', value: { all: true, most: 2 ** 32 - 1, every: 1 } },
        { case: 'manifest', value: { model } },
        { case: 'show', value: { source: 'cam@cam', datum: 1n, attempt: 1, model, tensors: true } }
      ] as const
      stage.count(bodies.length)
      await Promise.all(bodies.map(body => member.ask(owner, body).catch(() => {})))
    })
  }
}

export const FLOOD_ATTACKS: readonly Attack[] = [
  offering(
    'ten models of 4,096 blocks',
    'a member owns ten models of 4,096 blocks each, and wants data computed with them',
    '2 to 10 results in 5 s, also after it has left',
    () => Array.from({ length: 10 }, (_, i) => inventedModel(`large ${i}`, 4096, 1000))
  ),
  offering(
    'models of 2,000 blocks',
    'a member owns ten models of as many blocks as are allowed, and wants data computed with them',
    '',
    () => Array.from({ length: 10 }, (_, i) => inventedModel(`large ${i}`, 2000, 1000))
  ),
  offering(
    'a block of 1 TB',
    'a member owns a model with blocks of 1 TB, and one with blocks of 60 GB, and wants data computed with them',
    'written to the disk without bound',
    () => [inventedModel('huge', 2, 2 ** 40), inventedModel('large', 2, 60 * 2 ** 30)],
    true
  ),
  modelsWithoutEnd,
  largePlacements,
  states,
  tasksOfItsOwn,
  requests
]
