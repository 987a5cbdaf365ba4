// Plugin of buf: of the messages named by `of`, code that writes and reads one field after the other. The library walks over
// descriptions of fields, which takes longer than all else that a small frame costs. What is read so is only what is written so: where
// anything else comes (a field that is not known, one twice, a number too large), the library reads the whole. Fields of other messages
// are the library's, too.
import { readFileSync } from 'node:fs'
import { create, createFileRegistry, fromBinary, ScalarType, toBinary } from '@bufbuild/protobuf'
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
  FileDescriptorSetSchema
} from '@bufbuild/protobuf/wkt'

const HELPERS = '../../../network'
const IMPLICIT = 2

/** Of a field of this type: its type on the wire, how it is written and read, and what it is where it is absent. */
const SCALARS = new Map([
  [ScalarType.STRING, { wire: 2, how: 'string', zero: "''", isThere: name => `${name} !== ''` }],
  [ScalarType.BYTES, { wire: 2, how: 'bytes', zero: 'NO_BYTES', isThere: name => `${name}.byteLength > 0` }],
  [ScalarType.UINT32, { wire: 0, how: 'uint32', zero: '0', isThere: name => `${name} !== 0` }],
  [ScalarType.UINT64, { wire: 0, how: 'uint64', zero: '0n', isThere: name => `${name} !== 0n` }],
  [ScalarType.BOOL, { wire: 0, how: 'bool', zero: 'false', isThere: name => name }],
  [ScalarType.DOUBLE, { wire: 1, how: 'double', zero: '0', isThere: name => `!Object.is(${name}, 0)` }]
])

const scalarOf = field => {
  const scalar = SCALARS.get(field.scalar)
  if (scalar === undefined) throw new Error(`${field} has a type that is not written straight`)
  return scalar
}

const tagOf = (field, wire) => field.number * 8 + wire
const isPacked = field => field.fieldKind === 'list' && field.listKind === 'scalar' && field.packed

/** Lines that write one value, last byte first. */
const written = (field, value, isStraight) => {
  if (field.message === undefined) {
    const { wire, how } = scalarOf(field)
    return [`to.${how}(${value})`, `to.tag(${tagOf(field, wire)})`]
  }
  const { name } = field.message
  if (!isStraight(field.message)) return [`to.bytes(toBinary(${name}Schema, ${value}))`, `to.tag(${tagOf(field, 2)})`]
  return [`end = to.size`, `write${name}(to, ${value})`, `to.uint32(to.size - end)`, `to.tag(${tagOf(field, 2)})`]
}

const writtenField = (field, isStraight) => {
  const name = `of.${field.localName}`
  if (field.fieldKind === 'list') {
    const from = `for (let i = ${name}.length - 1; i >= 0; i--)`
    if (!isPacked(field)) return [`${from} {`, ...written(field, `${name}[i]!`, isStraight), '}']
    const { how } = scalarOf(field)
    const all = [
      `end = to.size`,
      `${from} to.${how}(${name}[i]!)`,
      `to.uint32(to.size - end)`,
      `to.tag(${tagOf(field, 2)})`
    ]
    return [`if (${name}.length > 0) {`, ...all, '}']
  }
  if (field.oneof !== undefined) {
    const { localName } = field.oneof
    const value = `of.${localName}.value`
    return [`if (of.${localName}.case === '${field.localName}') {`, ...written(field, value, isStraight), '}']
  }
  const isThere = field.presence === IMPLICIT ? scalarOf(field).isThere(name) : `${name} !== undefined`
  return [`if (${isThere}) {`, ...written(field, name, isStraight), '}']
}

const writerOf = (message, isStraight, isFace) => {
  const fields = [...message.fields].sort((a, b) => b.number - a.number)
  const lines = fields.flatMap(field => writtenField(field, isStraight))
  const needsEnd = lines.some(line => line.startsWith('end ='))
  return [
    `${isFace(message) ? 'export ' : ''}const write${message.name} = (to: BackwardWriter, of: ${message.name}): void => {`,
    ...(needsEnd ? ['let end = 0'] : []),
    ...lines,
    '}'
  ]
}

const readValue = (field, isStraight) => {
  if (field.message === undefined) return `from.${scalarOf(field).how}()`
  const { name } = field.message
  return isStraight(field.message) ? `read${name}(from, from.end())` : `fromBinary(${name}Schema, from.bytes())`
}

/** What a field is read into: a variable of its own, or that of its group. */
const placeOf = field => (field.oneof ?? field).localName

const readCase = (field, isStraight) => {
  const place = `its${placeOf(field)}`
  const value = readValue(field, isStraight)
  if (isPacked(field)) {
    const { how, wire } = scalarOf(field)
    return [
      `case ${tagOf(field, 2)}:`,
      'last = from.end()',
      `while (from.at < last) ${place}.push(from.${how}())`,
      'if (from.at !== last) from.giveUp()',
      'break',
      `case ${tagOf(field, wire)}:`,
      `${place}.push(${value})`,
      'break'
    ]
  }
  const tag = `case ${tagOf(field, field.message === undefined ? scalarOf(field).wire : 2)}:`
  if (field.fieldKind === 'list') return [tag, `${place}.push(${value})`, 'break']
  if (field.oneof !== undefined)
    return [
      tag,
      `if (${place}.case !== undefined) from.giveUp()`,
      `${place} = { case: '${field.localName}', value: ${value} }`,
      'break'
    ]
  if (field.message !== undefined)
    return [tag, `if (${place} !== undefined) from.giveUp()`, `${place} = ${value}`, 'break']
  return [tag, `${place} = ${value}`, 'break']
}

const readerOf = (message, isStraight) => {
  const { name } = message
  const places = [...new Map(message.fields.map(field => [placeOf(field), field]))]
  const isOptional = field => field.fieldKind !== 'list' && field.oneof === undefined && field.presence !== IMPLICIT
  const start = field => {
    if (field.oneof !== undefined) return '{ case: undefined }'
    return field.fieldKind === 'list' ? '[]' : isOptional(field) ? 'undefined' : scalarOf(field).zero
  }
  return [
    `const read${name} = (from: StraightReader, end: number): ${name} => {`,
    ...places.map(
      ([place, field]) =>
        `let its${place}: ${name}['${place}']${isOptional(field) ? ' | undefined' : ''} = ${start(field)}`
    ),
    ...(message.fields.some(isPacked) ? ['let last = 0'] : []),
    'while (from.at < end) {',
    'switch (from.tag()) {',
    ...message.fields.flatMap(field => readCase(field, isStraight)),
    'default:',
    'from.giveUp()',
    '}',
    '}',
    'if (from.at !== end) from.giveUp()',
    `const whole: ${name} = {`,
    `$typeName: '${message.typeName}',`,
    ...places.filter(([, field]) => !isOptional(field)).map(([place]) => `${place}: its${place},`),
    '}',
    ...places
      .filter(([, field]) => isOptional(field))
      .map(([place]) => `if (its${place} !== undefined) whole.${place} = its${place}`),
    'return whole',
    '}'
  ]
}

const wholeOf = ({ name }) => [
  '/** @throws where it is none */',
  `export const ${name.toLowerCase()}FromBytes = (bytes: Uint8Array): ${name} => {`,
  'const from = reader',
  'from.begin(bytes)',
  'try {',
  `const whole = read${name}(from, bytes.byteLength)`,
  'if (from.isPlain) return whole',
  '} catch {',
  '// A part alone is none: what the whole is, the library judges.',
  '}',
  `return fromBinary(${name}Schema, bytes)`,
  '}'
]

const linesOf = (messages, faces) => {
  const names = messages.map(({ name }) => name)
  const isStraight = ({ name }) => names.includes(name)
  const isFace = ({ name }) => faces.includes(name)
  const fields = messages.flatMap(message => message.fields.map(({ message }) => message))
  const others = new Set(
    fields.filter(message => message !== undefined && !isStraight(message)).map(({ name }) => name)
  )
  const imported = [...names.map(name => `type ${name}`), ...[...others, ...faces].map(name => `${name}Schema`)]
  return [
    '// @generated by scripts/protoc-gen-straight.mjs',
    `import { fromBinary, toBinary } from '@bufbuild/protobuf'`,
    `import type { BackwardWriter } from '${HELPERS}/backward-writer.ts'`,
    `import { NO_BYTES, StraightReader } from '${HELPERS}/straight-reader.ts'`,
    `import { ${imported.join(', ')} } from './wire_pb.ts'`,
    'const reader = new StraightReader()',
    ...messages.flatMap(message => [...writerOf(message, isStraight, isFace), ...readerOf(message, isStraight)]),
    ...messages.filter(isFace).flatMap(wholeOf)
  ]
}

const request = fromBinary(CodeGeneratorRequestSchema, readFileSync(0))
const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }))
const options = request.parameter.split(',').map(option => option.split('='))
const valuesOf = key => options.filter(([name]) => name === key).map(([, value]) => value)
const faces = valuesOf('face')
const named = [...faces, ...valuesOf('of')]
const file = request.fileToGenerate.flatMap(name => {
  const { messages } = registry.getFile(name)
  const straight = named.flatMap(name => messages.filter(message => message.name === name))
  if (straight.length === 0) return []
  if (straight.length < named.length) throw new Error(`not all of ${named.join(', ')} are in ${name}`)
  return [{ name: name.replace('.proto', '_straight.ts'), content: `${linesOf(straight, faces).join('\n')}\n` }]
})
const PROTO3_OPTIONAL = 1n
process.stdout.write(
  toBinary(
    CodeGeneratorResponseSchema,
    create(CodeGeneratorResponseSchema, { file, supportedFeatures: PROTO3_OPTIONAL })
  )
)
