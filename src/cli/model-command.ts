import { Command } from 'commander'
import { blockRanges } from '../core/block-ranges.ts'
import { formatBytes } from '../core/format-quantity.ts'
import { fingerprintOf, parseModelReference } from '../core/model-reference.ts'
import { NoAnswerError } from '../core/user-error.ts'
import type { ModelReport, ModelsAnswer } from '../runtime/device/model-report.ts'
import { type AskFlags, askOptionsOf, withAskFlags, withLocalFlags } from './ask-flags.ts'

interface ModelFlags extends AskFlags {
  readonly json?: boolean
}

const withJson = (command: Command): Command => command.option('--json', 'print one JSON document')

const print = (answer: ModelsAnswer, json: boolean | undefined, text: () => string): void => {
  process.stdout.write(json === true ? `${JSON.stringify(answer)}\n` : `${text()}\n`)
}

const list = withJson(withAskFlags(new Command('list')))
  .summary('the models of the cluster: owners, size, sources, where they are carried')
  .description('Ask a running device which models its cluster has.')
  .addHelpText('after', '\nExample:\n  $ tributary model list --state ~/.tributary/porch\n')
  .action(async (flags: ModelFlags) => {
    const { askModels } = await import('./node/ask-models.ts')
    const answer = await askModels(askOptionsOf(flags), { case: 'list', value: {} })
    const { answeredBy, models } = answer
    if (flags.json === true) process.stdout.write(`${JSON.stringify({ answeredBy, models })}\n`)
    else process.stdout.write(`${models.length === 0 ? 'no model' : models.map(describe).join('\n')}\n`)
  })

const remove = withJson(withAskFlags(new Command('remove')))
  .summary('take a model out of the cluster')
  .description(
    'Its owners own it no longer, its blocks leave every device, from memory and disk; sources of it wait until a model of that name is there again. An owner that is started with it again brings it back.'
  )
  .argument('<model>', 'its name, NAME@FINGERPRINT, or the first 8 or more digits of its id or digest')
  .addHelpText('after', '\nExample:\n  $ tributary model remove ocr --state ~/.tributary/porch\n')
  .action(async (model: string, flags: ModelFlags) => {
    const { askModels } = await import('./node/ask-models.ts')
    const answer = await askModels(askOptionsOf(flags), { case: 'remove', value: { name: model } })
    print(answer, flags.json, () => describeRemoval(answer))
    if (answer.failed.length > 0)
      throw new NoAnswerError(
        `${answer.failed.map(({ device, because }) => `${device}: ${because}`).join('; ')}; it still owns ${model}`
      )
  })

const update = withJson(withLocalFlags(new Command('update'), '600'))
  .summary("put another file in a model's place, without a restart")
  .description(
    "On the machine of the model's owner: its running device cuts FILE and serves it by that name; data under way are computed anew with it. When FILE is no model that can be served, nothing changes."
  )
  .argument('<model>', 'its name, or NAME@FINGERPRINT: nothing else is replaced')
  .argument('<file>', 'the new .onnx file')
  .addHelpText('after', '\nExample:\n  $ tributary model update ocr rec-v2.onnx --state ~/.tributary/porch\n')
  .action(async (text: string, file: string, flags: ModelFlags) => {
    const { updateModel } = await import('./node/ask-models.ts')
    const answer = await updateModel(askOptionsOf(flags), text, file)
    const { name: model } = parseModelReference(text)
    print(answer, flags.json, () => {
      const now = answer.models.find(({ name, state }) => name === model && state !== 'shadowed')
      const what = now === undefined ? '' : ` (${now.digest}, ${now.blocks} blocks, ${formatBytes(now.bytes)})`
      return answer.changed ? `${model} is ${file} now${what}` : `${model} is that model already; nothing changed`
    })
  })

export const command = new Command('model')
  .summary('the models of a running cluster: list, remove, update')
  .description('Look at the models of a running cluster, take one out, or put another file in its place.')
  .addCommand(list)
  .addCommand(remove)
  .addCommand(update)

const describe = ({ name, id, digest, owners, state, blocks, bytes, sources, carried }: ModelReport): string => {
  const whose = owners.length > 0 ? `of ${owners.join(', ')}` : 'its owner is gone'
  const places = Object.entries(carried).map(([device, held]) => `${device} ${blockRanges(held)}`)
  return [
    `${name}@${fingerprintOf(id)}  ${digest}  ${blocks} blocks, ${formatBytes(bytes)}, ${whose}${state === 'shadowed' ? '; another of that name counts' : ''}`,
    `  sources: ${sources.join(', ') || 'none'}`,
    `  carried: ${places.join('; ') || 'nowhere yet'}`
  ].join('\n')
}

const describeRemoval = ({ removed, waiting }: ModelsAnswer): string => {
  const what = removed.map(({ name, digest }) => `${name} (${digest})`).join(', ')
  return `${what} leaves the cluster${waiting.length > 0 ? `; these sources wait for a model of that name: ${waiting.join(', ')}` : ''}`
}
