import { Command } from 'commander'
import { type AskFlags, askOptionsOf, withAskFlags } from './ask-flags.ts'

interface KeyFlags extends AskFlags {
  readonly json?: boolean
}

const rotate = withAskFlags(
  new Command('rotate')
    .summary('give the cluster another key, while it runs')
    .description(
      "Ask a running device that holds the cluster's key to make another. All members but those that were removed get new certificates, those that may admit get the new key, and nothing that is computed stops. Invites and keys from before are good no more. Who is away gets its certificate when it comes back."
    )
)
  .option('--json', 'print one JSON document')
  .addHelpText('after', '\nExample:\n  $ tributary key rotate --state ~/.tributary/porch\n')
  .action(async (flags: KeyFlags) => {
    const [{ askMembers }, { keyRotatedSchema }, { harmless }] = await Promise.all([
      import('./node/ask-members.ts'),
      import('../runtime/network/members/member-report.ts'),
      import('./harmless.ts')
    ])
    const told = await askMembers(askOptionsOf(flags), { case: 'rotate', value: {} }, keyRotatedSchema)
    const away = told.away.length === 0 ? '' : `; away, to get theirs when they come back: ${told.away.join(', ')}`
    const words = `the cluster has another key (public ${told.cluster}...); these stay: ${told.stay.join(', ')}${away}`
    process.stdout.write(`${flags.json === true ? JSON.stringify(told) : harmless(words)}\n`)
  })

export const command = new Command('key')
  .summary("the cluster's key: rotate")
  .description('Change the key that signs who is a member of the cluster.')
  .addCommand(rotate)
