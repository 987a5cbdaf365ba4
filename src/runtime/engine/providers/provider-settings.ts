import { z } from 'zod'
import type { ProviderName } from './provider-name.ts'

/**
 * Of its largest output, by so much a block may come out otherwise than on cpu. Single precision in another order differs
 * by 1e-5 and less, matrix products in TensorFloat-32 by 1e-3; half precision by more, and that is for its user to allow.
 */
const LIMIT = 1e-3

const settingsSchema = z.strictObject({
  /** As ONNX Runtime knows them: `{ deviceId: 1 }`. */
  options: z.record(z.string().max(100), z.union([z.string().max(4096), z.number(), z.boolean()])).default({}),
  limit: z.number().min(0).max(1).default(LIMIT),
  /** Used wherever its outputs are within the limit, be it slower than cpu: to keep the processor free. */
  evenIfSlower: z.boolean().default(false)
})

/** How one provider is used. */
export type ProviderSettings = z.output<typeof settingsSchema>

const settings = settingsSchema.optional()

/** By the name of the provider; those that are left out are used as they come. */
export const providerSettingsSchema = z.strictObject({
  ...{ cuda: settings, tensorrt: settings, webgpu: settings, coreml: settings, dml: settings, qnn: settings }
} satisfies Record<Exclude<ProviderName, 'cpu'>, typeof settings>)

export type AllProviderSettings = z.output<typeof providerSettingsSchema>

export const DEFAULT_SETTINGS: ProviderSettings = settingsSchema.parse({})
