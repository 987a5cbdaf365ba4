import type { ModelProto } from 'onnx-buf'

/** Characters of all of them: they travel to every device. */
const MOST = 500_000
const MOST_PROPERTIES = 1000

/** What a file says of itself, as far as it is no more than is read. */
export const propertiesOf = ({
  metadataProps
}: Pick<ModelProto, 'metadataProps'>): Readonly<Record<string, string>> => {
  let characters = 0
  const kept = metadataProps.slice(0, MOST_PROPERTIES).filter(({ key, value }) => {
    characters += key.length + value.length
    return characters <= MOST
  })
  return Object.fromEntries(kept.map(({ key, value }) => [key, value]))
}
