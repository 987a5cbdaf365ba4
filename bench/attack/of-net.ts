import { create } from '@bufbuild/protobuf'
import { type Task, TaskSchema } from '../../src/runtime/generated/tributary/v1/wire_pb.ts'
import type { WireTensor } from '../../src/runtime/ports/wire-tensor.ts'
import type { HostileMember } from '../../src/testing/hostile-member.ts'
import type { Stage } from './attack.ts'

/** What an attacker learns of the model of the honest source, as any member can. */
export interface OfNet {
  readonly id: string
  readonly blocks: number
  /** Of one datum, made up: what it begins and ends with. @param rows where one is declared */
  readonly input: (rows?: number) => WireTensor[]
  readonly output: (rows?: number) => WireTensor[]
  /** A task of the honest source with all blocks done, as who computed it sends it home, but for the token. */
  readonly result: (datum: number, token?: Uint8Array) => Task
}

/** The honest source, as tasks name it. */
export const SOURCE = 'cam@cam'

export const ofNet = async (member: HostileMember, { cluster }: Stage): Promise<OfNet> => {
  const { owner } = cluster
  const named = member.states.get(owner)?.models.find(({ name }) => name === 'net')?.model
  const manifest = await member.manifestOf(owner, named ?? [...member.models][0]!)
  const tensorsAt = (cut: number, rows: number): WireTensor[] =>
    manifest.activations.at(cut)!.tensors.map(({ name, shape }) => {
      const [first = 1, ...rest] = shape.map(({ size }) => (size.case === 'value' ? Number(size.value) : 1))
      const dims = [first * rows, ...rest]
      const data = new Uint8Array(4 * dims.reduce((a, b) => a * b, 1)).fill(63)
      return { name, type: 'float32', dims, data }
    })
  const { id } = manifest
  const blocks = manifest.blocks.length
  return {
    ...{ id, blocks, input: (rows = 1) => tensorsAt(0, rows), output: (rows = 1) => tensorsAt(-1, rows) },
    result: (datum, token = new Uint8Array(16)) =>
      create(TaskSchema, {
        ...{ source: SOURCE, datum: BigInt(datum), model: id, home: owner, attempt: 1, weight: 1, done: blocks, token }
      })
  }
}
