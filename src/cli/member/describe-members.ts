import { seconds } from '../../core/units.ts'
import type { MemberList } from '../../runtime/network/members/member-report.ts'
import { dateOf } from '../../runtime/system-clock.ts'

const written = (time: number): string => dateOf(seconds(time)).toISOString().slice(0, 16).replace('T', ' ')

/** A line for each member, and for each that was removed. */
export const describeMembers = ({ members, removed }: MemberList): string =>
  [
    ...members.map(({ name, id, since, mayAdmit, connected }) =>
      [
        `${name || '(no name)'}  ${id}`,
        `since ${written(since)}`,
        ...(mayAdmit ? ['may admit'] : []),
        connected ? 'connected' : 'away'
      ].join('  ')
    ),
    ...removed.map(({ name, id, at }) => `${name || '(no name)'}  ${id}  removed ${written(at)}`)
  ].join('\n') || 'no member'
