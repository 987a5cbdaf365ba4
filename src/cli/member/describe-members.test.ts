import { expect, test } from 'vitest'
import { describeMembers } from './describe-members.ts'

const LIST = {
  answeredBy: 'A1',
  members: [
    { name: 'shed', id: 'A1', since: 0, mayAdmit: true, connected: true },
    { name: '', id: 'B2', since: 3600, mayAdmit: false, connected: false }
  ],
  removed: [{ name: 'tablet', id: 'C3', at: 7200 }]
}
const MEMBERS = 'shed  A1  since 1970-01-01 00:00  may admit  connected\n(no name)  B2  since 1970-01-01 01:00  away'

test('a list has members alone; those that were removed stand apart, where they are asked for', () => {
  expect(describeMembers(LIST)).toBe(MEMBERS)
  expect(describeMembers(LIST, true)).toBe(
    `${MEMBERS}\n\nremoved, and no members any more:\n  tablet  C3  at 1970-01-01 02:00`
  )
  expect(describeMembers({ ...LIST, removed: [] }, true)).toBe(`${MEMBERS}\n\nnone was removed`)
})
