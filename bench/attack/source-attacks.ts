import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { generate, type IPublishPacket, type Packet } from 'mqtt-packet'
import { type Attack, again, type Stage } from './attack.ts'
import type { HostileServer } from './hostile-server.ts'
import { thirdHost } from './third-host.ts'

// What a source reads from: a broker, a camera, a program, whose owner is no friend any more.

const ESCAPE = '\u001b[31m\u0007\r\n'

const deep = (depth: number): string => '['.repeat(depth)

/** JSON that is no item, or lies about what it is. */
const lines: readonly string[] = [
  ...['{', '{}', 'null', '[]', '"text"', '{"tensors":{}}', '{"image":"%%%"}', '{"image":"AAAA"}'],
  `{"tensors":{"x":${deep(50_000)}`,
  `{"name":${JSON.stringify(ESCAPE)},"tensors":{"dims":[1],"data":[1]}}`,
  `{"${ESCAPE.trim()}":1}`,
  '{"tensors":{"__proto__":{"dims":[1],"data":[1]},"constructor":{"dims":[1],"data":[1]}}}',
  '{"tensors":{"dims":[1,1e15],"data":[1]}}',
  '{"tensors":{"dims":[9007199254740993],"data":[]}}',
  '{"tensors":{"dims":[1,256],"data":[1e999]}}',
  `{"tensors":{"type":"string","dims":[1],"data":["${'y'.repeat(100_000)}"]}}`,
  '{"file":"/etc/passwd"}',
  '{"file":"/dev/zero"}',
  '{"file":"/proc/self/mem"}'
]

/** More numbers, or more tensors, than any item has. */
const large = (bytes: number): readonly string[] => [
  `{"tensors":{"dims":[1,256],"data":[${'1,'.repeat(bytes / 2)}1]}}`,
  `{"tensors":{${Array.from({ length: bytes / 32 }, (_, i) => `"a${i}":{"dims":[1],"data":[1]}`).join(',')}}}`,
  deep(bytes)
]

const published = (parts: Partial<IPublishPacket>): Uint8Array =>
  generate(
    {
      ...{ cmd: 'publish', topic: 'yard/cam', payload: '', qos: 1, dup: false, retain: true, messageId: 1, ...parts }
    },
    { protocolVersion: 5 }
  )

/** As `published`, without what the package that makes packets will not do. */
const bare = (...bytes: readonly number[]): Uint8Array => Uint8Array.from(bytes)
const packet = (of: Packet): Uint8Array => generate(of, { protocolVersion: 5 })

const badPackets: readonly ((id: number) => Uint8Array)[] = [
  ...lines.map(line => (messageId: number) => published({ payload: line, messageId })),
  messageId => published({ topic: 'other', payload: '{}', messageId }),
  messageId => published({ topic: `yard/${ESCAPE}`, payload: '{', messageId }),
  messageId => published({ topic: `yard/${'../'.repeat(1000)}`, payload: '{', messageId }),
  messageId => published({ payload: Buffer.from([0xff, 0xd8, 0xff, 0xe0]), messageId }),
  () => published({ payload: '{}', qos: 0 }),
  messageId => published({ payload: '{}', qos: 2, messageId }),
  messageId => packet({ cmd: 'pubrel', messageId }),
  messageId => packet({ cmd: 'suback', messageId, granted: [128] }),
  () => packet({ cmd: 'connack', returnCode: 0, reasonCode: 0, sessionPresent: true }),
  () => bare(0x36, 0), // a message of no known way
  () => bare(0x32, 7, 255, 255, 0, 0, 0, 0, 0), // its topic is longer than it
  () => bare(0, 255, 255, 255, 255, 255),
  () => packet({ cmd: 'disconnect', reasonCode: 0x8b })
]

/** Who reads from `server` is to begin anew with the next attack. */
const untilOver = async ({ signal }: Stage, server: HostileServer, work: () => Promise<void>): Promise<void> => {
  signal.addEventListener('abort', () => server.drop())
  await again(signal, 0.005, work)
}

const told = (stage: Stage, name: string): string | undefined =>
  stage.cluster.node(name).log().includes(ESCAPE.slice(0, 2)) ? 'what others wrote is in the log as it came' : undefined

const badMessages: Attack = {
  name: 'MQTT: messages that are none',
  what: 'a broker sends JSON that is none, topics that nobody asked for, escape sequences, other ways of delivery, and no MQTT',
  once: '',
  unit: 'packets',
  isQuick: true,
  play: stage => {
    let turn = 0
    return untilOver(stage, stage.cluster.broker, async () => {
      const bytes = badPackets[turn % badPackets.length]!((turn % 65_535) + 1)
      const sent = await stage.cluster.broker.send(bytes)
      stage.count(sent)
      turn += sent
    })
  },
  fault: stage => told(stage, 'attic')
}

/** @param many packets that are made when the attack begins, and sent again and again */
const messages = (name: string, what: string, many: () => readonly Uint8Array[], more: Partial<Attack>): Attack => ({
  ...{ name: `MQTT: ${name}`, what, once: '', unit: 'messages', ...more },
  play: stage => {
    const packets = many()
    let turn = 0
    return untilOver(stage, stage.cluster.broker, async () => {
      const sent = await stage.cluster.broker.send(packets[turn % packets.length]!)
      stage.count(sent)
      turn += sent
    })
  }
})

const PAGE = 'HTTP/1.0 200 OK\r\n\r\n'

/**
 * @param make what is sent, each to whoever has come meanwhile
 * @param isWhole after each the connection ends
 */
const camera = (
  name: string,
  what: string,
  make: (stage: Stage) => Promise<readonly (Uint8Array | string)[]>,
  isWhole: boolean,
  more: Partial<Attack> = {}
): Attack => ({
  ...{ name: `video: ${name}`, what, once: '', unit: 'answers', ...more },
  play: async stage => {
    const { camera: server } = stage.cluster
    const answers = await make(stage)
    let turn = 0
    await untilOver(stage, server, async () => {
      const sent = await server.send(answers[turn % answers.length]!)
      stage.count(sent)
      turn += sent
      if (isWhole && sent > 0) server.drop()
    })
  }
})

/** A hundred million pixels and more of one colour take some kilobytes. */
const largePicture = async (): Promise<Uint8Array> => {
  const { default: sharp } = await import('sharp')
  const create = { width: 16_000, height: 16_000, channels: 3 as const, background: 'black' }
  return sharp({ create, limitInputPixels: false }).png().toBuffer()
}

const oddVideos = (): readonly Attack[] => {
  let accepted = (): number => 0
  return [
    camera(
      'what is none',
      'a camera answers with pages, halves of pictures, and lists of videos that are files of the device or on a third host',
      async stage => {
        const host = await thirdHost(stage.signal)
        accepted = host.accepted
        const list = (address: string): string => `${PAGE}#EXTM3U\n#EXTINF:1,\n${address}\n#EXT-X-ENDLIST\n`
        return [
          `${PAGE}<html>${ESCAPE}</html>`,
          list(`http://127.0.0.1:${host.port}/within`),
          list('file:///etc/passwd'),
          'HTTP/1.0 302 Found\r\nlocation: file:///etc/passwd\r\n\r\n',
          `${PAGE}P6 ${'9'.repeat(1000)}`
        ]
      },
      true,
      {
        isQuick: true,
        fault: stage => {
          stage.note(`the third host had ${accepted()} connections`)
          return told(stage, 'shed')
        }
      }
    ),
    camera(
      'headers that never end',
      'a camera begins to answer, and never ends the head of it',
      async () => [`HTTP/1.0 200 OK\r\n${`x-a: ${'y'.repeat(1000)}\r\n`.repeat(1000)}`, `x-b: ${'y'.repeat(1e6)}`],
      false
    ),
    camera(
      'pictures of 256 megapixels',
      'a camera gives pictures of 16,000 by 16,000 pixels of one colour, and says of others that they are as large',
      async () => [
        Buffer.concat([Buffer.from(PAGE), await largePicture()]),
        `${PAGE}YUV4MPEG2 W16000 H16000 F25:1 C420\nFRAME\n${'y'.repeat(100_000)}`,
        `${PAGE}P6 16000 16000 255\n${'y'.repeat(100_000)}`
      ],
      true,
      { once: 'ffmpeg takes 0.8 GB' }
    )
  ]
}

const written = async (input: Writable, text: string): Promise<void> => {
  if (!input.write(text)) await once(input, 'drain')
}

/** @param make what is written, again and again */
const input = (name: string, what: string, make: () => readonly string[], more: Partial<Attack>): Attack => ({
  ...{ name: `standard input: ${name}`, what, once: '', unit: 'lines', ...more },
  play: async stage => {
    const { stdin } = stage.cluster.node('attic').child
    const texts = make()
    const over = once(stage.signal, 'abort')
    let turn = 0
    await again(stage.signal, 0.005, async () => {
      stage.count()
      await Promise.race([written(stdin!, texts[turn++ % texts.length]!), over])
    })
  },
  fault: stage => told(stage, 'attic')
})

export const sourceAttacks = (): readonly Attack[] => [
  badMessages,
  messages(
    'messages without end',
    'a broker sends messages as fast as they are read, of both ways of delivery, each kept for whoever comes',
    () =>
      Array.from({ length: 100 }, (_, i) =>
        Buffer.concat(
          Array.from({ length: 100 }, (__, k) =>
            published({ qos: k % 10 === 0 ? 0 : 1, messageId: 100 * i + k + 1, payload: `{"n":${k}}` })
          )
        )
      ),
    { isQuick: true, unit: 'hundreds of messages' }
  ),
  messages(
    'messages of 60 MB',
    'a broker sends lists of 30 million numbers, a million tensors, and brackets',
    () => large(6e7).map((payload, i) => published({ payload, messageId: i + 1 })),
    { once: '16 of 50 results in 5 s; a device takes 1.0 GB' }
  ),
  ...oddVideos(),
  input(
    'lines that are none',
    'a program writes JSON that is none, names with escape sequences, and names of files that never end',
    () => lines.map(line => `${line.replaceAll('\n', '')}\n`),
    { isQuick: true }
  ),
  input(
    'lines of 60 MB',
    'a program writes lists of 30 million numbers, a million tensors, and a line without an end',
    () => [...large(6e7).map(line => `${line}\n`), '1'.repeat(2 ** 27)],
    { once: '23 of 50 results in 5 s; a device takes 1.3 GB' }
  )
]
