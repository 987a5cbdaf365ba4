/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Tributary in a program of your own: `joinCluster` makes this process a device.
 *
 * @module
 */
import './core/promise-with-resolvers.ts'

export type { ActivationEncoding, EncodingChoice } from './core/activation-encoding.ts'
export type { ElementType } from './core/tensor.ts'
export { type ErrorFacts, NoAnswerError, TributaryError, UserError } from './core/user-error.ts'
export type { ClusterEvents, EventName, LogLine, OtherDevice } from './library/cluster-events.ts'
export type { CarriedBlocks, ClusterStatus, DeviceStatus, SourceStatus, TimeFacts } from './library/cluster-status.ts'
export { type Cluster, joinCluster } from './library/join-cluster.ts'
export type { JoinOptions, ModelOptions, ProviderUse, ServeOptions } from './library/join-options.ts'
export type { Outcome, OutcomeOf } from './library/outcome.ts'
export type { IterableSource, SendingSource } from './library/source.ts'
export type { IterableSourceOptions, SendingSourceOptions, SourceOptions } from './library/source-options.ts'
export { VERSION as version } from './node/version.ts'
export type { LogLevel } from './runtime/device/log-level.ts'
export type { ProviderChoice, ProviderName } from './runtime/engine/providers/provider-name.ts'
export type {
  ItemLike,
  NamedTensor,
  NumericArray,
  OutputTensor,
  TensorLike,
  Tensors
} from './runtime/io/tensor-like.ts'
export type { PolicyName } from './scheduler/policies.ts'
export type { CreatePolicy, Decision, Policy, PolicyHost, Report, TaskState } from './scheduler/policy.ts'
