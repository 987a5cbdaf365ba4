import { z } from 'zod'
import { type AdmissionTerms, DROP_RULES, LATE_RULES, PATIENT_TERMS } from './admission-terms.ts'
import { batchByDevice } from './batch-by-device.ts'
import type { BatchCurve } from './batch-curve.ts'
import { blockTimesByDevice } from './block-times-by-device.ts'
import { describeIssue } from './describe-issue.ts'
import { nearest } from './nearest.ts'
import { parseFrequency, parseRate, parseSize, parseTime } from './parse-quantity.ts'
import { refuseFreeModels } from './refuse-free-models.ts'
import { type Bytes, type BytesPerSecond, bytes, milliseconds, type Seconds, seconds } from './units.ts'
import { UserError } from './user-error.ts'
import type { Window } from './window.ts'

/** A network and its load, checked and in SI units: what `plan`, `simulate` and `emulate` read. */
export interface Scenario {
  readonly name: string
  readonly devices: readonly ScenarioDevice[]
  /** Every directed link, one entry for a pair and direction. */
  readonly links: readonly ScenarioLink[]
  readonly models: readonly ScenarioModel[]
  readonly sources: readonly ScenarioSource[]
  readonly policy: string
  /** What changes in mid-run, in order of time. */
  readonly events: readonly ScenarioEvent[]
}

export type ScenarioEvent = { readonly at: Seconds } & (
  | { readonly kind: 'speed'; readonly device: number; readonly speed: number }
  | {
      readonly kind: 'link'
      /** All links of a medium change together. */
      readonly links: readonly { readonly from: number; readonly to: number }[]
      readonly rate: BytesPerSecond | undefined
      readonly latency: Seconds | undefined
    }
  /** `kill`: at once, what it held is gone. `stop`: it says goodbye first, and hands back what it held. */
  | { readonly kind: 'leaves'; readonly device: number; readonly how: 'kill' | 'stop' }
  | { readonly kind: 'joins'; readonly device: number }
)

export interface ScenarioDevice {
  readonly name: string
  readonly speed: number
  /** For blocks; Infinity where it is not limited. */
  readonly memory: Bytes
  /** So many data it computes at once, each at that speed, where it is more than one. */
  readonly lanes?: number
}

export interface ScenarioLink {
  readonly from: number
  readonly to: number
  readonly rate: BytesPerSecond
  readonly latency: Seconds
  /** Number of the shared medium; undefined for a link of its own. */
  readonly medium?: number
}

export type ScenarioModel = {
  readonly name: string
  /** Its first block runs on the device of the datum's source and nowhere else: raw data stay where they are born. */
  readonly pinned?: true
  /**
   * By device: what each block takes there while its speed is the one it begins with; undefined: work / speed. Of a file,
   * for as many blocks as it turns out to be cut into.
   */
  readonly times?: readonly (readonly Seconds[] | undefined)[]
  /** By device: what several data take at once there, of each block alike; undefined: they run one at a time. */
  readonly batch?: readonly (BatchCurve | undefined)[]
} & (
  | {
      readonly kind: 'file'
      readonly file: string
      /** For dynamic dimensions: "x=1x3x48x320". */
      readonly shapes: readonly string[]
      /** Cut into at most so many. */
      readonly maxBlocks: number
    }
  | {
      readonly kind: 'synthetic'
      readonly blocks: readonly { readonly work: Seconds; readonly weights: Bytes }[]
      readonly activations: readonly Bytes[]
    }
)

export type Arrivals =
  | { readonly kind: 'saturated' }
  | { readonly kind: 'poisson'; readonly rate: number }
  | { readonly kind: 'every'; readonly interval: Seconds }

export interface ScenarioSource {
  readonly name: string
  readonly device: number
  readonly model: number
  readonly arrivals: Arrivals
  readonly count: number
  readonly window: Window
  readonly weight: number
  /** When its first datum can be there. */
  readonly start: Seconds
  /** What becomes of data that come faster than they are served. */
  readonly terms: AdmissionTerms
  /** Its data are files; absent: made up. Who only simulates does not read them. */
  readonly files?: SourceFiles
}

/** Where a source's files are, and how they become tensors: a preset, or a file that says it. */
export interface SourceFiles {
  readonly dir: string
  readonly reading: { readonly preset: string } | { readonly ioFile: string }
}

/** As many data as a source has that does not say how many. */
export const DEFAULT_COUNT = 100

const MAX_DEVICES = 10_000
const MAX_BLOCKS = 4096
const MAX_LANES = 256
/** Directed: all pairs of 1,414 devices. */
const MAX_LINKS = 2_000_000
/** Lines of what is wrong that one still reads. */
const MAX_PROBLEMS = 20

/** Of what happens again and again: more often is a slip. */
const LEAST_INTERVAL: Seconds = seconds(1e-6)

/**
 * A quantity as text, read by one of the parsers; the message names the units. Zero needs no unit, and what must be more than
 * 0 is said where it is used.
 */
const quantity = <T extends number>(parse: (text: string) => T, unit: string, example: string) =>
  z
    .union([z.number().transform(n => (n === 0 ? `0${unit}` : String(n))), z.string()], {
      error: `must be a quantity like ${example}`
    })
    .transform((text, context) => {
      try {
        return parse(text)
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message })
        return z.NEVER
      }
    })

const parseInterval = (text: string): Seconds => {
  const interval = parseTime(text)
  if (interval === 0 || interval >= LEAST_INTERVAL) return interval
  throw new RangeError(`"${text}" is out of range: from 1us to 1e9s`)
}

const time = quantity(parseTime, 's', '200ms')
const interval = quantity(parseInterval, 's', '200ms')
const size = quantity(parseSize, 'B', '64MiB')
const rate = quantity(parseRate, 'bps', '20Mbps')
const frequency = quantity(parseFrequency, '/s', '5/s')
const name = z.string().min(1).max(64)
const shortly = (value: unknown): string => (JSON.stringify(value) ?? '').slice(0, 40)
/** A speed or weight, relative to others. */
const positive = z.number().positive({ abort: true }).min(1e-6).max(1e9)

/** Of one block on one device: no block is faster than the first, and none that anybody would wait for slower than the second. */
const BLOCK_TIME = { least: 1e-9, most: 86_400 }

/** A measured time: a number is in milliseconds, as such lists are published. */
const blockTime = z.unknown().transform((value, context): Seconds => {
  const time = typeof value === 'number' ? milliseconds(value) : typeof value === 'string' ? timeOf(value) : Number.NaN
  if (time >= BLOCK_TIME.least && time <= BLOCK_TIME.most) return seconds(time)
  context.addIssue({
    code: 'custom',
    message: `${shortly(value)} is not the time of a block: milliseconds like 3.2, or with a unit like "3.2ms", from 1e-6ms to 24h`
  })
  return z.NEVER
})

const timeOf = (text: string): number => {
  try {
    return parseTime(text)
  } catch {
    return Number.NaN
  }
}

const window = z.union([z.int().min(1).max(100_000), z.literal('auto')], {
  error: 'must be auto, or a whole number from 1 to 100000'
})

/** Where the first block runs; a block that is pinned elsewhere would be another model. */
const pinned = z.literal('source', { error: 'must be source: the first block then runs at the device of its source' })

const arrivals = z.union(
  [
    z.literal('saturated').transform((): Arrivals => ({ kind: 'saturated' })),
    z
      .strictObject({ poisson: frequency.refine(f => f > 0, 'must be more than 0') })
      .transform((a): Arrivals => ({ kind: 'poisson', rate: a.poisson })),
    z
      .strictObject({ every: interval.refine(t => t > 0, 'must be more than 0') })
      .transform((a): Arrivals => ({ kind: 'every', interval: a.every }))
  ],
  {
    error: ({ input }) => `${shortly(input)} is not an arrival process: saturated, { poisson: 5/s } or { every: 200ms }`
  }
)

/** What may stand in an event once: each is a change of its own. */
const CHANGES = ['speed', 'leaves', 'joins', 'link', 'medium']

const oneChange = (event: unknown, context: z.RefinementCtx): void => {
  const said = CHANGES.filter(key => typeof event === 'object' && event !== null && Object.hasOwn(event, key))
  if (said.length > 1)
    context.addIssue(`says ${said.join(' and ')}, and an event is one change; give an entry for each, with the same at`)
}

const event = z.union(
  [
    z.strictObject({ at: time, device: name, speed: positive }),
    z.strictObject({ at: time, device: name, leaves: z.enum(['kill', 'stop']) }),
    z.strictObject({ at: time, device: name, joins: z.literal(true) }),
    z.strictObject({ at: time, link: z.string(), bandwidth: rate.optional(), latency: time.optional() }),
    z.strictObject({ at: time, medium: name, bandwidth: rate.optional(), latency: time.optional() })
  ],
  { error: 'is not an event: at, and device with speed, leaves or joins, or link or medium with bandwidth or latency' }
)
const events = z.unknown().superRefine(oneChange).pipe(event)

const link = { bandwidth: rate.optional(), latency: time.optional() }

/** By device, group or several of them: what each block takes there. */
const measuredTimes = z.record(z.string(), z.array(blockTime).min(1).max(MAX_BLOCKS))

/** By device, group or several of them: by number of data, what they take at once. */
const batchCurves = z.record(z.string(), z.record(z.string(), z.union([z.number(), z.string()])))

const schema = z.strictObject({
  name: name.optional(),
  devices: z
    .record(
      name,
      z
        .strictObject({
          ...{ speed: positive.default(1), memory: size.optional(), group: name.optional() },
          lanes: z.int().min(1).max(MAX_LANES).optional()
        })
        .nullable()
    )
    .refine(d => Object.keys(d).length > 0, 'at least one device')
    .refine(d => Object.keys(d).length <= MAX_DEVICES, `at most ${MAX_DEVICES} devices`),
  links: z
    .strictObject({
      topology: z.string().default('full'),
      default: z.strictObject(link).default({}),
      pairs: z.array(z.strictObject({ from: name, to: name, ...link, both: z.boolean().default(false) })).default([]),
      media: z.array(z.strictObject({ name, devices: z.array(name).min(2), ...link })).default([])
    })
    .prefault({}),
  models: z.record(
    name,
    z.union(
      [
        z.strictObject({
          file: z.string().min(1),
          shape: z.union([z.string().transform(text => [text]), z.array(z.string())]).default([]),
          maxBlocks: z.int().min(1).max(256).default(12),
          times: measuredTimes.optional(),
          batch: batchCurves.optional(),
          pinned: pinned.optional()
        }),
        z.strictObject({
          blocks: z
            .array(z.strictObject({ work: time.optional(), weights: size.default(bytes(0)) }))
            .min(1)
            .max(MAX_BLOCKS)
            .optional(),
          activations: z.array(size),
          times: measuredTimes.optional(),
          batch: batchCurves.optional(),
          pinned: pinned.optional()
        })
      ],
      { error: 'is not a model: either file, with shape and maxBlocks, or blocks and activations' }
    )
  ),
  sources: z
    .array(
      z.strictObject({
        name,
        device: name,
        model: name,
        arrivals: arrivals.default({ kind: 'saturated' }),
        count: z.int({ abort: true }).min(1).max(10_000_000).optional(),
        dir: z.string().min(1).optional(),
        preset: z.string().min(1).optional(),
        io: z.string().min(1).optional(),
        window: window.default('auto'),
        weight: positive.default(1),
        start: time.prefault('0s'),
        deadline: interval.refine(t => t > 0, 'must be more than 0').default(PATIENT_TERMS.deadline),
        late: z.enum(LATE_RULES).default(PATIENT_TERMS.late),
        drop: z.enum(DROP_RULES).default(PATIENT_TERMS.drop),
        queue: z.int({ abort: true }).min(1).max(1_000_000).default(PATIENT_TERMS.queue),
        rate: frequency.refine(f => f > 0, 'must be more than 0').default(PATIENT_TERMS.rate)
      })
    )
    .min(1),
  policy: z.string().default('confluence'),
  events: z.array(events).default([])
})

type Written = z.output<typeof schema>

/** A link that says nothing of itself. */
const DEFAULT_LINK = { bandwidth: parseRate('100Mbps'), latency: parseTime('1ms') }

/**
 * Check a scenario as it was written (YAML or JSON, already parsed).
 * @param origin the file, for messages
 * @throws UserError that names file, field, value and remedy; for an unknown key the nearest known one
 */
export const parseScenario = (written: unknown, origin: string): Scenario => {
  const parsed = schema.safeParse(written)
  if (!parsed.success) throw new UserError(problems(parsed.error.issues, written, origin))
  const { devices, models, sources, policy } = parsed.data
  const names = Object.keys(devices)
  const modelNames = Object.keys(models)
  const numbers = new Map(
    [names, modelNames].map((known): [readonly string[], Map<string, number>] => [
      known,
      new Map(known.map((key, i) => [key, i]))
    ])
  )
  const find = (kind: string, known: readonly string[], wanted: string, field: string): number => {
    const index = numbers.get(known)!.get(wanted)
    if (index !== undefined) return index
    const near = nearest(wanted, known)
    throw new UserError(
      `${origin}: ${field}: there is no ${kind} "${wanted}"${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${known.slice(0, 12).join(', ')})`
    )
  }
  const findDevice = (wanted: string, field: string): number => find('device', names, wanted, field)
  const expanded = expandLinks(parsed.data.links, names, findDevice, origin)
  refuseDuplicates(sources, 'sources', 'source', origin)
  refuseDuplicates(parsed.data.links.media, 'links.media', 'medium', origin)
  const scenario: Scenario = {
    name: parsed.data.name ?? origin.replace(/^.*[/\\]/, '').replace(/\.(ya?ml|json)$/, ''),
    devices: names.map(key => ({
      name: key,
      speed: devices[key]?.speed ?? 1,
      memory: devices[key]?.memory ?? bytes(Number.POSITIVE_INFINITY),
      ...(devices[key]?.lanes === undefined ? {} : { lanes: devices[key].lanes })
    })),
    links: expanded,
    models: modelNames.map(key => checkedModel(key, models[key]!, devices, origin)),
    sources: sources.map(({ dir, preset, io, count, deadline, late, drop, queue, rate, ...source }, i) => {
      const model = find('model', modelNames, source.model, `sources[${i}].model`)
      const files = checkedFiles({ dir, preset, io }, `${origin}: sources[${i}]`)
      if (files !== undefined && !('file' in models[source.model]!))
        throw new UserError(
          `${origin}: sources[${i}].dir: the model ${source.model} is made of sizes and times and has no use for files; remove dir, or give the model a file`
        )
      if (late === 'cancel' && deadline === PATIENT_TERMS.deadline)
        throw new UserError(`${origin}: sources[${i}].late: is for a source with a deadline; add deadline: 500ms`)
      return {
        ...source,
        device: findDevice(source.device, `sources[${i}].device`),
        model,
        terms: { deadline, late, drop, queue, rate },
        // All files there are, where none says how many: whoever can read the folder counts them.
        count: count ?? (files === undefined ? DEFAULT_COUNT : Number.POSITIVE_INFINITY),
        ...(files === undefined ? {} : { files })
      }
    }),
    policy,
    events: parsed.data.events
      .map((event, i) =>
        checkedEvent(event, `events[${i}]`, {
          names,
          links: expanded,
          media: parsed.data.links.media,
          findDevice,
          origin
        })
      )
      .sort((a, b) => a.at - b.at)
  }
  refuseFreeModels(scenario, origin)
  refuseOddEvents(scenario, origin)
  return scenario
}

/** All that is wrong, a line for each. */
const problems = (issues: readonly z.core.$ZodIssue[], written: unknown, origin: string): string => {
  const each = issues.flatMap((issue): z.core.$ZodIssue[] =>
    issue.code === 'unrecognized_keys' ? issue.keys.map(key => ({ ...issue, keys: [key] })) : [issue]
  )
  const lines = each.map(issue => `${origin}: ${describeIssue(issue, { knownKeys, written, synonyms: SYNONYMS })}`)
  const left = lines.length - MAX_PROBLEMS
  return [...lines.slice(0, MAX_PROBLEMS), ...(left > 0 ? [`${origin}: ${left} more problems`] : [])].join('\n')
}

const checkedFiles = (
  { dir, preset, io }: { readonly [key in 'dir' | 'preset' | 'io']: string | undefined },
  where: string
): SourceFiles | undefined => {
  if (dir === undefined) {
    const other = preset === undefined ? io && 'io' : 'preset'
    if (other !== undefined) throw new UserError(`${where}.${other}: is for a source of files; add dir: FOLDER`)
    return undefined
  }
  if ((preset === undefined) === (io === undefined))
    throw new UserError(`${where}.dir: needs one of preset (ppocr-rec, imagenet, raw) and io (a file that says how)`)
  return { dir, reading: preset === undefined ? { ioFile: io! } : { preset } }
}

const refuseDuplicates = (
  entries: readonly { readonly name: string }[],
  field: string,
  kind: string,
  origin: string
) => {
  const names = entries.map(entry => entry.name)
  const duplicate = names.findIndex((name, i) => names.indexOf(name) !== i)
  if (duplicate !== -1)
    throw new UserError(
      `${origin}: ${field}[${duplicate}].name: "${names[duplicate]}" is there twice; give each ${kind} its own name`
    )
}

interface EventContext {
  readonly names: readonly string[]
  readonly links: readonly ScenarioLink[]
  readonly media: Written['links']['media']
  readonly findDevice: FindDevice
  readonly origin: string
}

const checkedEvent = (event: Written['events'][number], field: string, context: EventContext): ScenarioEvent => {
  const { at } = event
  if ('device' in event) {
    const device = context.findDevice(event.device, `${field}.device`)
    if ('speed' in event) return { at, kind: 'speed', device, speed: event.speed }
    return 'leaves' in event ? { at, kind: 'leaves', device, how: event.leaves } : { at, kind: 'joins', device }
  }
  const { bandwidth, latency } = event
  if (bandwidth === undefined && latency === undefined)
    throw new UserError(`${context.origin}: ${field}: says nothing new; add bandwidth or latency`)
  if (bandwidth !== undefined && !(bandwidth > 0))
    throw new UserError(`${context.origin}: ${field}.bandwidth: must be more than 0`)
  const links = 'link' in event ? eventLinks(event.link, field, context) : mediumLinks(event.medium, field, context)
  return { at, kind: 'link', links, rate: bandwidth, latency }
}

/** Who is not there cannot leave, who is there cannot join. A device whose first event is to join comes then. */
const refuseOddEvents = ({ events, devices }: Scenario, origin: string): void => {
  const isThere = new Map<number, boolean>()
  for (const event of events) {
    if (event.kind !== 'leaves' && event.kind !== 'joins') continue
    const { kind, device, at } = event
    const before = isThere.get(device) ?? kind === 'leaves'
    isThere.set(device, kind === 'joins')
    if (before === (kind === 'leaves')) continue
    const { name } = devices[device]!
    throw new UserError(
      `${origin}: events: at ${at} s ${name} ${kind}, and it ${kind === 'leaves' ? 'has left before' : 'is there already'}; remove that event, or let it ${kind === 'leaves' ? 'join' : 'leave'} between the two`
    )
  }
}

/** "porch->shed". */
const eventLinks = (text: string, field: string, { links, findDevice, origin }: EventContext) => {
  const match = /^\s*(.+?)\s*->\s*(.+?)\s*$/.exec(text)
  if (match === null) throw new UserError(`${origin}: ${field}.link: "${text}" is not FROM->TO, like porch->shed`)
  const from = findDevice(match[1]!, `${field}.link`)
  const to = findDevice(match[2]!, `${field}.link`)
  if (!links.some(l => l.from === from && l.to === to))
    throw new UserError(`${origin}: ${field}.link: no link leads ${text}; add it to links`)
  return [{ from, to }]
}

const mediumLinks = (wanted: string, field: string, { links, media, origin }: EventContext) => {
  const medium = media.findIndex(m => m.name === wanted)
  if (medium === -1)
    throw new UserError(
      `${origin}: ${field}.medium: there is no medium "${wanted}" (known: ${media.map(m => m.name).join(', ')})`
    )
  return links.filter(l => l.medium === medium).map(({ from, to }) => ({ from, to }))
}

const checkedModel = (
  key: string,
  model: Written['models'][string],
  devices: Written['devices'],
  origin: string
): ScenarioModel => {
  const known = Object.entries(devices).map(([name, device]) => ({ name, group: device?.group }))
  const { times: written } = model
  const timesFor = (blocks: number) =>
    written === undefined ? undefined : blockTimesByDevice(written, blocks, known, `${origin}: models.${key}.times`)
  const batch =
    model.batch === undefined ? undefined : batchByDevice(model.batch, known, `${origin}: models.${key}.batch`)
  const where = {
    ...(batch === undefined ? {} : { batch }),
    ...(model.pinned === undefined ? {} : { pinned: true as const })
  }
  if ('file' in model) {
    const { file, shape: shapes, maxBlocks } = model
    const times = timesFor(Object.values(written ?? {})[0]?.length ?? 0)
    return { name: key, kind: 'file', file, shapes, maxBlocks, ...(times === undefined ? {} : { times }), ...where }
  }
  const { activations } = model
  const blocks = model.blocks ?? Object.values(written ?? {})[0]?.map(() => ({ work: undefined, weights: bytes(0) }))
  if (blocks === undefined) throw new UserError(`${origin}: models.${key}.blocks is missing; or give times`)
  const times = timesFor(blocks.length)
  const speeds = Object.values(devices).map(device => device?.speed ?? 1)
  const timed = blocks.map(({ work, weights }, k) => {
    const untimed = known.find((_, n) => times?.[n] === undefined)
    if (work === undefined && untimed !== undefined)
      throw new UserError(
        `${origin}: models.${key}.blocks[${k}].work is missing${times === undefined ? '' : `, and ${untimed.name} has no times: give the one or the other`}`
      )
    return { work: work ?? referenceWork(times!, speeds, k), weights }
  })
  if (activations.length !== blocks.length + 1) {
    throw new UserError(
      `${origin}: models.${key}.activations: ${blocks.length} blocks have ${blocks.length + 1} activations (the input, what crosses each cut, the output), ${activations.length} given`
    )
  }
  return {
    name: key,
    kind: 'synthetic',
    blocks: timed,
    activations,
    ...(times === undefined ? {} : { times }),
    ...where
  }
}

/** What a block whose times alone are known takes at speed 1: in the mean over the devices. */
const referenceWork = (
  times: readonly (readonly Seconds[] | undefined)[],
  speeds: readonly number[],
  k: number
): Seconds => seconds(times.reduce((sum, of, n) => sum + of![k]! * speeds[n]!, 0) / times.length)

type FindDevice = (wanted: string, field: string) => number

const expandLinks = (
  links: Written['links'],
  names: readonly string[],
  find: FindDevice,
  origin: string
): ScenarioLink[] => {
  const base = {
    bandwidth: links.default.bandwidth ?? DEFAULT_LINK.bandwidth,
    latency: links.default.latency ?? DEFAULT_LINK.latency
  }
  refuseTooManyLinks(links, names.length, origin)
  const made = new Map<number, ScenarioLink>()
  const put = (
    from: number,
    to: number,
    shape: { bandwidth?: BytesPerSecond | undefined; latency?: Seconds | undefined },
    medium?: number
  ): void => {
    made.set(from * names.length + to, {
      from,
      to,
      rate: shape.bandwidth ?? base.bandwidth,
      latency: shape.latency ?? base.latency,
      ...(medium === undefined ? {} : { medium })
    })
  }
  for (const [a, b] of topologyPairs(links.topology, names, find, origin)) put(a, b, {})
  for (const [m, medium] of links.media.entries()) {
    const members = medium.devices.map((device, i) => find(device, `links.media[${m}].devices[${i}]`))
    for (const a of members) for (const b of members) if (a !== b) put(a, b, medium, m)
  }
  for (const [i, pair] of links.pairs.entries()) {
    const from = find(pair.from, `links.pairs[${i}].from`)
    const to = find(pair.to, `links.pairs[${i}].to`)
    if (from === to) throw new UserError(`${origin}: links.pairs[${i}]: a link from ${pair.from} to itself; remove it`)
    put(from, to, pair)
    if (pair.both) put(to, from, pair)
  }
  const all = [...made.values()]
  const dead = all.find(l => !(l.rate > 0))
  if (dead !== undefined)
    throw new UserError(`${origin}: links: bandwidth from ${names[dead.from]} to ${names[dead.to]} must be more than 0`)
  return all
}

/** Before they are made. */
const refuseTooManyLinks = ({ topology, media, pairs }: Written['links'], devices: number, origin: string): void => {
  const allOf = (n: number): number => n * (n - 1)
  const ofMedia = media.reduce((sum, medium) => sum + allOf(medium.devices.length), 0)
  const ofTopology = topology === 'full' ? allOf(devices) : topology === 'none' ? 0 : 2 * devices
  if (ofTopology + ofMedia + 2 * pairs.length <= MAX_LINKS) return
  const [field, count] = ofTopology > ofMedia ? ['topology', ofTopology] : ['media', ofMedia]
  throw new UserError(
    `${origin}: links.${field}: ${field === 'topology' ? topology : 'they'} would make ${count} links of ${devices} devices, and a scenario has at most ${MAX_LINKS}; use ring, chain, star:DEVICE, or none with pairs`
  )
}

function* topologyPairs(
  topology: string,
  names: readonly string[],
  find: FindDevice,
  origin: string
): Iterable<[number, number]> {
  const n = names.length
  const both = function* (a: number, b: number): Iterable<[number, number]> {
    if (a !== b)
      yield* [
        [a, b],
        [b, a]
      ] as [number, number][]
  }
  if (topology === 'none') return
  if (topology === 'full') for (let a = 0; a < n; a++) for (let b = a + 1; b < n; b++) yield* both(a, b)
  else if (topology === 'chain') for (let a = 0; a + 1 < n; a++) yield* both(a, a + 1)
  else if (topology === 'ring') for (let a = 0; a < n; a++) yield* both(a, (a + 1) % n)
  else if (topology.startsWith('star:')) {
    const centre = find(topology.slice('star:'.length), 'links.topology')
    for (let a = 0; a < n; a++) yield* both(centre, a)
  } else throw new UserError(`${origin}: links.topology: "${topology}" is not full, ring, chain, star:DEVICE or none`)
}

/** What else people call these keys. */
const SYNONYMS: Readonly<Record<string, string>> = {
  poisson: 'arrivals',
  every: 'arrivals',
  interval: 'every',
  frequency: 'arrivals',
  priority: 'weight',
  inflight: 'window',
  ram: 'memory',
  bytes: 'weights',
  time: 'at',
  when: 'at',
  delay: 'latency',
  throughput: 'bandwidth',
  path: 'file',
  folder: 'dir',
  limit: 'rate',
  dropping: 'drop',
  buffer: 'queue',
  timeout: 'deadline',
  files: 'dir'
}

/** The keys that may stand at a place, for "did you mean". */
const knownKeys = (path: readonly PropertyKey[]): readonly string[] => {
  const [room, key, third] = path
  if (room === undefined) return ['name', 'devices', 'links', 'models', 'sources', 'policy', 'events']
  if (room === 'events') return ['at', 'device', 'speed', 'leaves', 'joins', 'link', 'medium', 'bandwidth', 'latency']
  if (room === 'devices') return ['speed', 'memory', 'lanes', 'group']
  if (room === 'models')
    return third === 'blocks'
      ? ['work', 'weights']
      : ['file', 'shape', 'maxBlocks', 'blocks', 'activations', 'times', 'batch', 'pinned']
  if (room === 'sources') {
    return third === 'arrivals'
      ? ['poisson', 'every']
      : [
          ...['name', 'device', 'model', 'arrivals', 'count', 'window', 'weight', 'start', 'dir', 'preset', 'io'],
          ...['deadline', 'late', 'drop', 'queue', 'rate']
        ]
  }
  if (room === 'links' && key === 'pairs') return ['from', 'to', 'bandwidth', 'latency', 'both']
  if (room === 'links' && key === 'media') return ['name', 'devices', 'bandwidth', 'latency']
  if (room === 'links' && key === 'default') return ['bandwidth', 'latency']
  return ['topology', 'default', 'pairs', 'media']
}
