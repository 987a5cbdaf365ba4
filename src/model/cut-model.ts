import type { TensorSpec } from '../core/tensor.ts'
import { type Bytes, bytes } from '../core/units.ts'
import { UserError } from '../core/user-error.ts'
import { chooseCuts } from './choose-cuts.ts'
import { type CutPoint, possibleCutPoints } from './cut-points.ts'
import type { GraphAnalysis } from './graph-analysis.ts'
import type { LayerCost } from './layer-cost.ts'
import type { LeftOut } from './left-out.ts'
import { aliveAt } from './liveness.ts'
import { type Block, makeBlocks } from './make-blocks.ts'
import type { TensorFacts } from './tensor-facts.ts'
import { weightBytes } from './weight-bytes.ts'

/** A model that has been read and understood, ready to be cut in any of its cut points. */
export interface StudiedModel {
  readonly analysis: GraphAnalysis
  readonly facts: TensorFacts
  readonly costs: readonly LayerCost[]
  readonly cutPoints: readonly CutPoint[]
  /** What the file has besides, and no block. */
  readonly leftOut: readonly LeftOut[]
}

/** The same with every place where it can be cut at all, what the runtime merges included. */
export const withAllCutPoints = (model: StudiedModel): StudiedModel => ({
  ...model,
  cutPoints: possibleCutPoints(model.analysis, model.facts)
})

/** Inputs and outputs that no device can be fed or give back: sequences, optionals, types that JavaScript lacks. */
export const untravellingEnds = ({ analysis, facts }: StudiedModel): readonly string[] =>
  [...analysis.inputs, ...analysis.outputs].filter(name => facts.of(name).type === undefined)

/** Cut points for this many parts of even work and little crossing; ascending indices into `cutPoints`. */
export const cutsForParts = (model: StudiedModel, parts: number): readonly number[] => {
  if (parts - 1 > model.cutPoints.length) {
    throw new UserError(
      `${model.analysis.file.path}: ${parts} parts need ${parts - 1} cut points, the model has ${model.cutPoints.length}; ask for at most ${model.cutPoints.length + 1} parts`,
      { code: 'badCut', facts: { parts, cutPoints: model.cutPoints.length } }
    )
  }
  return chooseCuts(
    model.cutPoints,
    model.costs.map(cost => cost.work),
    model.costs.map(cost => cost.flops),
    parts
  )
}

/**
 * Cut points where exactly one tensor crosses, each of the named ones, in their order; for models that are to be cut where
 * their maker says.
 * @returns the model with every possible cut point, and which to use
 * @throws UserError when some name crosses nowhere alone
 */
export const cutsAtTensors = (
  model: StudiedModel,
  names: readonly string[]
): { readonly model: StudiedModel; readonly cuts: readonly number[] } => {
  const all = withAllCutPoints(model)
  const cuts = names.map(name => {
    const cut = all.cutPoints.findIndex(({ tensors }) => tensors.length === 1 && tensors[0] === name)
    if (cut === -1)
      throw new UserError(
        `${model.analysis.file.path}: cannot be cut at "${name}": it never crosses a cut point alone`,
        { code: 'badCut', facts: { tensor: name } }
      )
    return cut
  })
  return { model: all, cuts: cuts.sort((a, b) => a - b) }
}

/** Cut points for the blocks of a cluster: as many as allowed, or as there are. */
export const cutsForCluster = (model: StudiedModel, maxBlocks: number): readonly number[] =>
  cutsForParts(model, Math.min(maxBlocks, model.cutPoints.length + 1))

/** The tensors that cross at each cut, the inputs first and the outputs last, with their sizes at the given shapes. */
export const activationsAt = (
  { analysis, facts, cutPoints }: StudiedModel,
  cuts: readonly number[]
): readonly { readonly bytes: Bytes; readonly tensors: readonly TensorSpec[] }[] => {
  const alive = aliveAt(analysis)
  const positions = [0, ...cuts.map(c => cutPoints[c]!.position), analysis.layers.length]
  return positions.map((position, i) => {
    // The last activation is the output, in the model's order, whatever else is alive there.
    const names = i === positions.length - 1 ? [...new Set(analysis.outputs)] : alive[position]!
    const tensors = names.map(name => specOf(facts, name))
    return { bytes: bytes(names.reduce((sum, name) => sum + facts.bytes(name), 0)), tensors }
  })
}

const specOf = (facts: TensorFacts, name: string): TensorSpec => {
  const { type, shape, dims } = facts.of(name)
  return { name, type: type ?? 'float32', shape: dims ?? shape ?? [] }
}

/** Of the constants that the runtime computes when it loads a block. */
export const computedBytes = ({ computed }: Block, facts: TensorFacts): number =>
  computed.reduce((sum, name) => sum + facts.bytes(name), 0)

export interface BlockFacts {
  readonly nodes: number
  /** Of what it holds. */
  readonly weightBytes: number
  /** Of the constants that the runtime computes when it loads the block. */
  readonly computedBytes: number
  readonly flops: number
}

/** What each block between these cut points holds; nothing is written. */
export const blockFacts = (
  { analysis, facts, costs, cutPoints }: StudiedModel,
  cuts: readonly number[]
): readonly BlockFacts[] => {
  const positions = cuts.map(c => cutPoints[c]!.position)
  const bounds = [0, ...positions, analysis.layers.length]
  return makeBlocks(analysis, facts, positions).map((block, b) => ({
    nodes: block.model.graph!.node.length,
    weightBytes: weightBytes(block.model, analysis.file.path),
    computedBytes: computedBytes(block, facts),
    flops: costs.slice(bounds[b], bounds[b + 1]).reduce((sum, cost) => sum + cost.flops, 0)
  }))
}
