type Id<Kind extends string> = string & { readonly __id: Kind }

/** A device: its name in a scenario, its libp2p peer id in a running cluster. */
export type DeviceId = Id<'device'>
/** A source, unique in its cluster: `name@device`. */
export type SourceId = Id<'source'>
/** A model: the SHA-256 of its manifest in a running cluster, its name in a scenario. */
export type ModelId = Id<'model'>
/** SHA-256 of a block's bytes, lower-case hex. */
export type BlockHash = Id<'block'>

/** A text as the id of a device. */
export const deviceId = (text: string): DeviceId => text as DeviceId
/** A text as the id of a source. */
export const sourceId = (text: string): SourceId => text as SourceId
/** A text as the id of a model. */
export const modelId = (text: string): ModelId => text as ModelId
/** A text as the hash of a block. */
export const blockHash = (text: string): BlockHash => text as BlockHash
