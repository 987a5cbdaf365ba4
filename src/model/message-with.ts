import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf'

/**
 * A copy of a message with other fields; one that is set to undefined is left out. A spread alone is no message: the
 * values of fields that are not set would be lost with its prototype. Nothing inside is copied.
 */
export const messageWith = <Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
  fields: { readonly [K in keyof MessageShape<Desc>]?: MessageShape<Desc>[K] | undefined }
): MessageShape<Desc> => {
  const { $typeName: _, ...own } = message
  return create(schema, { ...own, ...fields } as unknown as MessageInitShape<Desc>)
}
