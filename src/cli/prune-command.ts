import { Command } from 'commander'
import { UserError } from '../core/user-error.ts'

interface PruneFlags {
  readonly dryRun?: boolean
  readonly json?: boolean
}

export const command = new Command('prune')
  .summary('remove the binaries of other platforms from this installation')
  .description(
    'onnxruntime-node brings the binaries of five platforms, and a machine loads those of one. Removes the others from the onnxruntime-node that this command runs with: for boards with little disk. npm ci brings them back.'
  )
  .option('--dry-run', 'only say what would go')
  .option('--json', 'print { removed: [{ folder, platform, bytes }], bytes }')
  .addHelpText('after', '\nExample:\n  $ npx tributary prune\n')
  .action(async (flags: PruneFlags) => {
    const { createRequire } = await import('node:module')
    const { dirname } = await import('node:path')
    const { foreignBinaries } = await import('./prune/foreign-binaries.ts')
    const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
    const removed = await foreignBinaries(runtime)
    if (flags.dryRun !== true) await removeAll(removed.map(({ folder }) => folder))
    const bytes = removed.reduce((sum, part) => sum + part.bytes, 0)
    if (flags.json === true) process.stdout.write(`${JSON.stringify({ removed, bytes })}\n`)
    else process.stdout.write(`${describe(removed, bytes, flags.dryRun === true)}\n`)
  })

const removeAll = async (folders: readonly string[]): Promise<void> => {
  const { rm } = await import('node:fs/promises')
  const { describeFileError } = await import('../core/describe-file-error.ts')
  for (const folder of folders)
    await rm(folder, { recursive: true }).catch(error => {
      throw new UserError(`${folder}: ${describeFileError(error)}; prune as the user who installed it`)
    })
}

const describe = (removed: readonly { readonly platform: string }[], bytes: number, isDryRun: boolean): string => {
  if (removed.length === 0) return 'nothing to remove: there are no binaries of other platforms here'
  const what = `${(bytes / 1e6).toFixed(0)} MB of ${removed.map(({ platform }) => platform).join(', ')}`
  return isDryRun ? `would remove ${what}` : `removed ${what}; npm ci brings them back`
}
