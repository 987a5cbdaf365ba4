import type { GraphAnalysis } from './graph-analysis.ts'

/**
 * The activation at every position: all tensors alive between layer p - 1 and layer p, for p = 0 .. L. A tensor is alive
 * from where it is written (an input: from the start) until its last reader; a model output until the end. In the order
 * in which they came to be, so that the same model gives the same order everywhere.
 */
export const aliveAt = (analysis: GraphAnalysis): readonly (readonly string[])[] => {
  const { layers, inputs, outputs, consumers } = analysis
  const end = layers.length
  const isOutput = new Set(outputs)
  const spans = [
    ...inputs.map(name => ({ name, from: 0 })),
    ...layers.flatMap((layer, i) => layer.writes.map(name => ({ name, from: i + 1 })))
  ].map(({ name, from }) => ({ name, from, until: isOutput.has(name) ? end : (consumers.get(name)?.at(-1) ?? -1) }))
  const alive: string[][] = Array.from({ length: end + 1 }, () => [])
  for (const { name, from, until } of spans) for (let p = from; p <= until; p++) alive[p]!.push(name)
  // Outputs that no layer makes, constants, come out of the last block.
  const made = new Set(spans.map(span => span.name))
  alive[end]!.push(...outputs.filter(name => !made.has(name)))
  return alive
}
