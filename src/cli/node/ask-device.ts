import type { Reply, Request } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import { type AskOptions, openAsker } from './open-asker.ts'

/** Join as an observer, ask, leave. @throws UserError when there is no device to ask, or it does not answer in time */
export const askDevice = async (options: AskOptions, request: Request): Promise<Reply> => {
  await using asker = await openAsker(options)
  return await asker.ask(request)
}
