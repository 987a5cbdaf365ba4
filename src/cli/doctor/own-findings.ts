import type { ClusterStatus } from '../../runtime/device/device-status.ts'
import { notesOf } from '../status/notes-of.ts'
import { reasonsOf } from '../status/reasons-of.ts'
import type { Finding } from './finding.ts'

/** Who answers, who else is there, and what is wrong with the cluster. */
export const ownFindings = (status: ClusterStatus): readonly Finding[] => {
  const { answeredBy, devices } = status
  const others = devices.length - 1
  const found = `${answeredBy} answers; ${others === 0 ? 'no other member is there' : `${others} other member${others === 1 ? '' : 's'}: ${devices.flatMap(({ name }) => (name === answeredBy ? [] : [name])).join(', ')}`}`
  const reasons = reasonsOf(status).map(
    (reason): Finding => ({ check: 'cluster', state: 'todo', found: reason, remedy: 'tributary status shows the rest' })
  )
  const notes = notesOf(status).map((note): Finding => ({ check: 'cluster', state: 'note', found: note }))
  return [{ check: 'device', state: 'ok', found }, ...reasons, ...notes]
}
