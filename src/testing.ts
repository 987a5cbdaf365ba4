/**
 * For tests of what is built on this package: time that a test moves, devices in memory with all that they are made of, and
 * whole clusters of them with faults of one seed.
 *
 * @module
 */
export type { Clock } from './core/clock.ts'
export {
  type BlockHash,
  blockHash,
  type DeviceId,
  deviceId,
  type ModelId,
  modelId,
  type SourceId,
  sourceId
} from './core/ids.ts'
export type { ModelManifest } from './core/manifest.ts'
export { createRng, type Rng } from './core/rng.ts'
export type { Tensor, TensorSpec } from './core/tensor.ts'
export { type Bytes, type BytesPerSecond, bytes, bytesPerSecond, type Seconds, seconds } from './core/units.ts'
export { NoAnswerError, TributaryError, UserError } from './core/user-error.ts'
export { type MemoryItem, memoryItem } from './library/memory-item.ts'
export { createMemoryPort } from './library/memory-port.ts'
export type { Outcome } from './library/outcome.ts'
export { createOutcomeSink, type OutcomeSink } from './library/outcome-sink.ts'
export { createDevice, type Device, type DeviceParts } from './runtime/device/device.ts'
export { SourceRunner, type SourceRunnerParts } from './runtime/device/source-runner.ts'
export type { ItemLike } from './runtime/io/tensor-like.ts'
export type { BlockStore } from './runtime/ports/block-store.ts'
export type { DataPort, Item } from './runtime/ports/data-port.ts'
export type { DeviceObserver } from './runtime/ports/device-observer.ts'
export { type BlockRun, type Engine, EngineError, type LoadedBlock, StuckError } from './runtime/ports/engine.ts'
export type { Hash } from './runtime/ports/hash.ts'
export { ItemUnavailable } from './runtime/ports/item-unavailable.ts'
export type { KeptNames } from './runtime/ports/kept-names.ts'
export type { LinkShaper } from './runtime/ports/link-shaper.ts'
export { type Network, NetworkError, type NetworkHandlers } from './runtime/ports/network.ts'
export type { Random } from './runtime/ports/random.ts'
export type { Sink } from './runtime/ports/sink.ts'
export type { SinkEntry } from './runtime/ports/sink-entry.ts'
export type { ItemStream, NumberedItem, SourceData } from './runtime/ports/source-data.ts'
export { POLICIES as policies } from './scheduler/policies.ts'
export type { CreatePolicy, Policy, PolicyHost } from './scheduler/policy.ts'
export { createManualClock, type ManualClock } from './testing/manual-clock.ts'
export { EventClock } from './testing/simulated/event-clock.ts'
export type { Fault } from './testing/simulated/fault.ts'
export { createMemoryBlockStore, type MemoryBlockStore } from './testing/simulated/memory-block-store.ts'
export { MemoryDevice, type MemoryDeviceOptions } from './testing/simulated/memory-device.ts'
export { MemoryEngine, type MemoryEngineParts } from './testing/simulated/memory-engine.ts'
export { type HubParts, MemoryHub } from './testing/simulated/memory-hub.ts'
export { memoryNames, type NamesDisk } from './testing/simulated/memory-names.ts'
export { MemoryNetwork, type MemoryNetworkParts } from './testing/simulated/memory-network.ts'
export { memoryObserver, type Observed } from './testing/simulated/memory-observer.ts'
export { createSinkDisk, MemorySink, type MemorySinkParts } from './testing/simulated/memory-sink.ts'
export { MemorySource, type MemorySourceOptions } from './testing/simulated/memory-source.ts'
export { ProcessClock } from './testing/simulated/process-clock.ts'
export type { SimulatedScenario } from './testing/simulated/scenario.ts'
export { seededRandom } from './testing/simulated/seeded-random.ts'
export {
  type SimulationOptions,
  type SimulationOutcome,
  simulateDevices
} from './testing/simulated/simulate-devices.ts'
export { type ToyModel, type ToyModelOptions, toyModel } from './testing/simulated/toy-model.ts'
