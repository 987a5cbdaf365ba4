import { cleanTexts } from '../../core/clean-texts.ts'
import { InvariantError } from '../../core/invariant-error.ts'
import type { JobGuard } from '../../core/job-guard.ts'
import { UserError } from '../../core/user-error.ts'
import { stateFault } from '../cluster/state-fault.ts'
import { reportFault } from '../dispatch/report-fault.ts'
import type { DeviceState, Notice } from '../generated/tributary/v1/wire_pb.ts'
import type { NetworkHandlers } from '../ports/network.ts'

/** What others send disturbs nobody: its texts are plain lines, and what handling it throws is told once and counted. A task or request that throws is refused. */
export const guardedHandlers = (handlers: NetworkHandlers, guard: JobGuard): NetworkHandlers => ({
  onTask: arrived => {
    try {
      return handlers.onTask(arrived)
    } catch (error) {
      if (error instanceof InvariantError) guard.failed('taking tasks', error)
      throw error
    }
  },
  onRequest: async (from, request) => {
    try {
      return await handlers.onRequest(from, request)
    } catch (error) {
      if (!(error instanceof UserError)) guard.failed('answering requests', error)
      throw error
    }
  },
  onNotice: (from, notice) => void guard.run('hearing notices', () => handlers.onNotice(from, cleanNotice(notice))),
  onState: (from, state) => void guard.run('hearing states', () => handlers.onState(from, cleanState(state))),
  onPeer: event => void guard.run('hearing who comes and goes', () => handlers.onPeer(event))
})

/** Of what is not heard, as it holds too much, no text is looked at. */
const cleanState = (state: DeviceState): DeviceState => (stateFault(state) === undefined ? cleanTexts(state) : state)

const cleanNotice = (notice: Notice): Notice => {
  const { body } = notice
  const isRefused =
    (body.case === 'report' && reportFault(body.value) !== undefined) ||
    (body.case === 'state' && stateFault(body.value) !== undefined)
  return isRefused ? notice : cleanTexts(notice)
}
