/** Execution providers of ONNX Runtime that can be asked for, `cpu` first: every build has it. */
export const PROVIDERS = ['cpu', 'cuda', 'tensorrt', 'webgpu', 'coreml', 'dml', 'qnn'] as const
/** An execution provider. */
export type ProviderName = (typeof PROVIDERS)[number]

/** What a user may ask for: one, or per block the fastest of those that are there. */
export const PROVIDER_CHOICES = [...PROVIDERS, 'auto'] as const
/** One of them, or the best of those that are there. */
export type ProviderChoice = (typeof PROVIDER_CHOICES)[number]
