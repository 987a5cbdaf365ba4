import { create } from '@bufbuild/protobuf'
import type { deviceId } from '../../src/core/ids.ts'
import { manifestId } from '../../src/runtime/cluster/manifest-codec.ts'
import { notice } from '../../src/runtime/device/notice.ts'
import { type Manifest, ManifestSchema, TaskSchema } from '../../src/runtime/generated/tributary/v1/wire_pb.ts'
import type { HostileMember } from '../../src/testing/hostile-member.ts'
import { type Attack, again, type Stage } from './attack.ts'

// What a member does that has the invite, and speaks the protocol of devices.

/** To all that it knows. */
const toAll = ({ network }: HostileMember, send: (peer: ReturnType<typeof deviceId>) => void): void => {
  for (const peer of network.peers().keys()) send(peer)
}

/** The model of the honest source. */
const honestModel = async (member: HostileMember, { cluster }: Stage): Promise<Manifest> =>
  member.manifestOf(cluster.owner, [...member.models][0]!)

const SOURCE = 'cam@cam'

const hostilePlacements: Attack = {
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
          member.network.notify(
            peer,
            notice('placement', { term, number, planner: number === 1 ? peer : member.network.self, models: [] })
          )
          stage.count()
        })
      term = term === 2 ** 32 - 1 ? 1_000_000 : term + 1
    })
  }
}

/** One tensor of what the model ends with. */
const madeUpResult = (manifest: Manifest, wider: number) =>
  manifest.activations.at(-1)!.tensors.map(({ name, shape }) => {
    const dims = shape.map(({ size }) => (size.case === 'value' ? Number(size.value) : 1) * wider)
    return { name, type: 'float32' as const, dims, data: new Uint8Array(4 * dims.reduce((a, b) => a * b, 1)).fill(63) }
  })

const forged = (name: string, what: string, once: string, wider: number): Attack => ({
  ...{ name, what, once, unit: 'results', isQuick: wider === 1 },
  play: async stage => {
    const member = await stage.member()
    const manifest = await honestModel(member, stage)
    let taken = 0
    let datum = 0
    await again(stage.signal, 0.005, async () => {
      const about = { source: SOURCE, datum: BigInt(datum++ % 2000), model: manifest.id, home: stage.cluster.owner }
      const done = manifest.blocks.length
      const task = create(TaskSchema, { ...about, attempt: 1, weight: 1, done, token: new Uint8Array(16) })
      stage.count()
      const answer = await member.network.sendTask(stage.cluster.owner, task, madeUpResult(manifest, wider)).answered
      if (answer.kind === 'accepted') taken++
    }).catch(() => {})
    stage.note(`${taken} of them taken`)
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
      for (let datum = 0; datum < 20; datum++) {
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

/** Models that nobody has a file of. */
const inventedModel = (name: string, blocks: number, bytes: bigint): Manifest => {
  const sha = (i: number): string => i.toString(16).padStart(64, '0')
  const tensors = [{ name: 'x', type: 'float32', shape: [{ size: { case: 'value' as const, value: 1n } }] }]
  const block = (i: number) => ({ sha256: sha(i + 1), bytes, flops: 1, work: 0.001, fileBytes: bytes })
  const manifest = create(ManifestSchema, {
    ...{ name, sha256: sha(0), inputs: tensors, outputs: ['x'] },
    blocks: Array.from({ length: blocks }, (_, i) => block(i + Math.floor(Math.random() * 1e6) * blocks)),
    activations: Array.from({ length: blocks + 1 }, () => ({ bytes: 4n, tensors }))
  })
  manifest.id = manifestId({
    ...{ blocks: manifest.blocks, activations: manifest.activations, outputs: manifest.outputs, pinned: false }
  } as unknown as Parameters<typeof manifestId>[0])
  return manifest
}

/** It says that it owns them, and answers who asks for them. */
const offer = (member: HostileMember, manifests: readonly Manifest[]): void => {
  for (const manifest of manifests) member.manifests.set(manifest.id, manifest)
  const models = manifests.map(({ id, name }) => ({
    model: id,
    name,
    owner: true,
    revision: 1n,
    blocks: [],
    times: []
  }))
  member.network.publishState(member.state({ models: models as never, memory: 2n ** 40n }))
}

const offering = (
  name: string,
  what: string,
  once: string,
  make: () => readonly Manifest[],
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

const stateFlood: Attack = {
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
      member.network.publishState(member.state({ name, links: links as never }))
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
    const blocks = Array.from({ length: 500 }, (_, i) => i)
    const devices = Array.from({ length: 8000 }, (_, i) => ({ device: `12D3KooW${i}`, blocks }))
    const placement = { planner: member.network.self, models: [{ model: 'net', devices, unplaced: [] }] }
    await again(stage.signal, 2, () => {
      const { owner } = stage.cluster
      member.network.notify(owner, notice('placement', { ...placement, term: 2, number: 1 } as never))
      stage.count()
    })
  }
}

const setAsides: Attack = {
  name: 'others set aside',
  what: 'a member says that all others fail at the model',
  once: '',
  unit: 'states',
  isQuick: true,
  play: async stage => {
    const member = await stage.member()
    const model = [...member.models][0]!
    await again(stage.signal, 0.2, () => {
      const setAside = [...member.network.peers().keys()].map(device => ({
        ...{ device, model, seconds: 600, because: 'it answers wrongly' }
      }))
      member.network.publishState(member.state({ setAside: setAside as never }))
      stage.count()
    })
  }
}

/** One that nobody else uses. */
const tasksOfItsOwn: Attack = {
  name: 'tasks without end',
  what: 'a member sends tasks of its own as fast as they are taken, each of the whole weight of a source',
  once: '',
  unit: 'tasks',
  play: async stage => {
    const member = await stage.member()
    const manifest = await honestModel(member, stage)
    const { self } = member.network
    member.takes = () => ({ kind: 'accepted' })
    member.network.publishState(member.state({}))
    const [input] = manifest.activations[0]!.tensors
    const dims = input!.shape.map(({ size }) => (size.case === 'value' ? Number(size.value) : 1))
    let datum = 0
    let refused = 0
    await again(stage.signal, 0.02, async () => {
      const sending = Array.from({ length: 20 }, () => {
        const about = { source: 'mine@mallory', datum: BigInt(datum++), model: manifest.id, home: self, weight: 1e9 }
        const data = new Uint8Array(4 * dims.reduce((a, b) => a * b, 1))
        const task = create(TaskSchema, { ...about, attempt: 1, token: new Uint8Array(16) })
        stage.count()
        return member.network.sendTask(stage.cluster.owner, task, [{ name: input!.name, type: 'float32', dims, data }])
          .answered
      })
      for (const { kind } of await Promise.all(sending)) if (kind === 'refused') refused++
    }).catch(() => {})
    stage.note(`${refused} of them refused`)
  }
}

export const MEMBER_ATTACKS: readonly Attack[] = [
  hostilePlacements,
  forged(
    'forged results',
    'a member sends results of data that it was never given',
    '109 of 800 results are recorded wrong',
    1
  ),
  forged(
    'results of another shape',
    'a member sends results of [16, 256] where a row is declared',
    'they are recorded',
    16
  ),
  falseWords,
  offering(
    'ten models of 4,096 blocks',
    'a member says that it owns ten models of 4,096 blocks each',
    '2 to 10 results in 5 s, also after it has left',
    () => Array.from({ length: 10 }, (_, i) => inventedModel(`large ${i}`, 4096, 1000n))
  ),
  offering('models of 2,000 blocks', 'a member says that it owns ten models of as many blocks as are allowed', '', () =>
    Array.from({ length: 10 }, (_, i) => inventedModel(`large ${i}`, 2000, 1000n))
  ),
  offering(
    'a block of 1 TB',
    'a member says that a model of its has blocks of 1 TB, and one has blocks of 60 GB',
    'written to the disk without bound',
    () => [inventedModel('huge', 2, 2n ** 40n), inventedModel('large', 2, 60n * 2n ** 30n)],
    true
  ),
  largePlacements,
  stateFlood,
  setAsides,
  tasksOfItsOwn
]
