import type { InferParameter } from '../../runtime/generated/inference/inference_pb.ts'
import type { Parameter, Parameters } from '../parameters.ts'

/** One of which nothing is said is left out. */
export const parametersOf = (given: Readonly<Record<string, InferParameter>>): Parameters =>
  new Map(
    Object.entries(given).flatMap(([name, { parameterChoice }]): [string, Parameter][] =>
      parameterChoice.case === undefined ? [] : [[name, parameterChoice.value]]
    )
  )
