import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { activationsAt, type StudiedModel } from '../../model/cut-model.ts'
import { writeBlocks } from '../../model/files/write-blocks.ts'
import { openProviderEngine } from '../engine/providers/create-provider-engine.ts'
import type { ProviderEngine } from '../engine/providers/provider-engine.ts'
import type { AllProviderSettings } from '../engine/providers/provider-settings.ts'
import type { ProviderTrial } from '../engine/providers/provider-trial.ts'

export interface ProviderProfileOptions {
  readonly threads: number
  readonly settings: AllProviderSettings
}

/** For each block what a device with every provider of this machine would choose, and how each did. One block at a time. */
export const profileProviders = async (
  model: StudiedModel,
  cuts: readonly number[],
  { threads, settings }: ProviderProfileOptions
): Promise<readonly (readonly ProviderTrial[])[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-profile-'))
  const providers = { provider: 'auto' as const, providerSettings: settings, say: () => {} }
  await using engine = openProviderEngine({ threads, tellsOwn: false }, providers)
  try {
    const file = (index: number): string => join(folder, `${index}.onnx`)
    const written = await writeBlocks(model, cuts, (index, chunks) =>
      pipeline(Readable.from(chunks), createWriteStream(file(index)))
    )
    const activations = activationsAt(model, cuts)
    const trials: (readonly ProviderTrial[])[] = []
    for (const [index, { sha256 }] of written.entries())
      trials.push(await tryBlock(engine, sha256, file(index), activations[index]!.tensors))
    return trials
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

type Hash = Parameters<ProviderEngine['load']>[0]
type Specs = ReturnType<typeof activationsAt>[number]['tensors']

const tryBlock = async (
  engine: ProviderEngine,
  hash: Hash,
  place: string,
  activation: Specs
): Promise<readonly ProviderTrial[]> => {
  const { inputs } = await engine.load(hash, place)
  const known = new Map(activation.map(spec => [spec.name, spec]))
  await engine.measure(
    hash,
    inputs.map(spec => ({ spec, dims: (known.get(spec.name) ?? spec).shape as readonly number[] }))
  )
  const trials = engine.trials(hash)
  await engine.unload(hash)
  return trials
}
