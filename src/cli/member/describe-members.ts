import { seconds } from '../../core/units.ts'
import type { MemberList } from '../../runtime/network/members/member-report.ts'
import { dateOf } from '../../runtime/system-clock.ts'

const written = (time: number): string => dateOf(seconds(time)).toISOString().slice(0, 16).replace('T', ' ')

/** A line for each member; apart from these, where that is asked for, one for each that was removed. */
export const describeMembers = ({ members, removed }: MemberList, isOfRemoved = false): string => {
  const there = members.map(({ name, id, since, mayAdmit, connected }) =>
    [
      `${name || '(no name)'}  ${id}`,
      `since ${written(since)}`,
      ...(mayAdmit ? ['may admit'] : []),
      connected ? 'connected' : 'away'
    ].join('  ')
  )
  const gone = removed.map(({ name, id, at }) => `  ${name || '(no name)'}  ${id}  at ${written(at)}`)
  const apart = gone.length === 0 ? ['none was removed'] : ['removed, and no members any more:', ...gone]
  return [there.join('\n') || 'no member', ...(isOfRemoved ? ['', ...apart] : [])].join('\n')
}
