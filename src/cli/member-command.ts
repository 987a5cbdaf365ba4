import { Command } from 'commander'
import { type AskFlags, askOptionsOf, withAskFlags } from './ask-flags.ts'

interface MemberFlags extends AskFlags {
  readonly removed?: boolean
  readonly json?: boolean
}

const list = withAskFlags(
  new Command('list')
    .summary('the members of the cluster: names, ids, since when, who may admit, who is connected')
    .description('Ask a running device who is a member of its cluster.')
)
  .option('--removed', 'those too that were removed, apart')
  .option('--json', 'print one JSON document')
  .addHelpText('after', '\nExample:\n  $ tributary member list --state ~/.tributary/porch\n')
  .action(async (flags: MemberFlags) => {
    const [{ askMembers }, { memberListSchema }, { describeMembers }, { harmless }] = await Promise.all([
      import('./node/ask-members.ts'),
      import('../runtime/network/members/member-report.ts'),
      import('./member/describe-members.ts'),
      import('./harmless.ts')
    ])
    const told = await askMembers(askOptionsOf(flags), { case: 'list', value: {} }, memberListSchema)
    process.stdout.write(
      `${flags.json === true ? JSON.stringify(told) : harmless(describeMembers(told, flags.removed))}\n`
    )
  })

const remove = withAskFlags(
  new Command('remove')
    .summary('take a device out of the cluster, everywhere and for good')
    .description(
      "Ask a running device that holds the cluster's key. All others end their connections with the removed one at once, and let it in no more, under whatever name; its data under way are computed elsewhere. To come back it needs an invite and another state folder."
    )
)
  .argument('<member>', 'its name, its id, or the first or last 8 or more digits of that')
  .option('--json', 'print one JSON document')
  .addHelpText('after', '\nExample:\n  $ tributary member remove tablet --state ~/.tributary/porch\n')
  .action(async (member: string, flags: MemberFlags) => {
    const [{ askMembers }, { memberRemovedSchema }, { harmless }] = await Promise.all([
      import('./node/ask-members.ts'),
      import('../runtime/network/members/member-report.ts'),
      import('./harmless.ts')
    ])
    const told = await askMembers(askOptionsOf(flags), { case: 'remove', value: member }, memberRemovedSchema)
    const { removed, heldKey } = told
    process.stdout.write(
      `${flags.json === true ? JSON.stringify(told) : harmless(`${removed.name} (${removed.id}) is removed`)}\n`
    )
    if (heldKey)
      process.stderr.write(
        "tributary: it held the cluster's key, with which it can make itself a new identity: tributary key rotate gives all others another key\n"
      )
  })

export const command = new Command('member')
  .summary('the members of a running cluster: list, remove')
  .description('Look at the members of a running cluster, or take one out.')
  .addCommand(list)
  .addCommand(remove)
