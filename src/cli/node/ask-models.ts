import { resolve } from 'node:path'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { parseModelReference } from '../../core/model-reference.ts'
import { UserError } from '../../core/user-error.ts'
import { type ModelsAnswer, modelsAnswerSchema } from '../../runtime/device/model-report.ts'
import { type ModelsRequestSchema, RequestSchema } from '../../runtime/generated/tributary/v1/wire_pb.ts'
import { writeModelOrder } from '../../runtime/state/model-order.ts'
import { readRunning, stateFolderOf } from '../../runtime/state/state-folder.ts'
import { askDevice } from './ask-device.ts'
import type { AskOptions } from './open-asker.ts'

type Body = NonNullable<MessageInitShape<typeof ModelsRequestSchema>['body']>

/** @throws UserError when there is no device to ask, it does not answer in time, or it cannot do what is asked, with why */
export const askModels = async (options: AskOptions, body: Body): Promise<ModelsAnswer> => {
  const reply = await askDevice(options, create(RequestSchema, { body: { case: 'models', value: { body } } }))
  if (reply.body.case !== 'models') throw new UserError(reply.error)
  return modelsAnswerSchema.parse(JSON.parse(reply.body.value))
}

/** By a device of this machine: the file is named in its state folder, where only who may write there can name one. */
export const updateModel = async (options: AskOptions, name: string, file: string): Promise<ModelsAnswer> => {
  const folder = stateFolderOf(options.name, options.state)
  if ((await readRunning(folder)) === undefined)
    throw new UserError(
      `no device runs with ${folder.path}; name the owner's with --state or --name, on its machine, or start it with --model ${file}:${parseModelReference(name).name}`
    )
  const { token, withdraw } = await writeModelOrder(folder.path, { name, file: resolve(file) })
  try {
    return await askModels(options, { case: 'update', value: token })
  } finally {
    await withdraw()
  }
}
