import { availableParallelism, hostname } from 'node:os'
import type { EncodingChoice } from '../../core/activation-encoding.ts'
import { exactModel } from '../../core/exact-model.ts'
import { laneLimit } from '../../core/lane-limit.ts'
import type { LaneChoice } from '../../core/lane-splits.ts'
import { NAME_PATTERN, NAME_WORDS } from '../../core/name-pattern.ts'
import { nearest } from '../../core/nearest.ts'
import { parseSize, parseTime } from '../../core/parse-quantity.ts'
import { type Bytes, bytes, type Seconds, seconds } from '../../core/units.ts'
import { UserError } from '../../core/user-error.ts'
import type { WeightChoice } from '../../core/weight-choice.ts'
import { parseEmulatedLink } from '../../emulation/emulated-link.ts'
import { EmulatedLinks } from '../../emulation/emulated-links.ts'
import type { ProviderChoice } from '../../runtime/engine/providers/provider-name.ts'
import { isHidden } from '../../runtime/io/hide-password.ts'
import { parseSourceSpec } from '../../runtime/io/source-spec.ts'
import { DEFAULT_PORT } from '../../runtime/network/default-port.ts'
import { type Endpoint, parseEndpoint } from '../../runtime/parse-endpoint.ts'
import { STDOUT } from '../../runtime/sink/open-line-target.ts'
import { parseSinkSpec, type SinkSpec } from '../../runtime/sink/sink-spec.ts'
import { isPolicyName, POLICY_NAMES, type PolicyName } from '../../scheduler/policies.ts'
import { COMMAND_LINE, type FlagOrigin } from '../config/flag-origin.ts'
import { FlagProblems } from '../config/flag-problems.ts'
import { parseEncodingChoice } from '../parse-encoding-choice.ts'
import { parseProviderChoice } from '../parse-provider-choice.ts'
import type { NodeFlags } from './node-flags.ts'
import type { LogFormat } from './node-log.ts'
import { parseModelFlags } from './parse-model-flags.ts'
import { type NumberRange, parseNumber } from './parse-number.ts'
import { parseZmqEndpoint } from './parse-zmq-endpoint.ts'
import { refuseAlike } from './refuse-alike.ts'

export interface NodeOptions {
  readonly name: string
  /** Empty: everywhere, on `port`. */
  readonly listen: readonly string[]
  /** 0: any. */
  readonly port: number
  /** `port`, or the next one that is free. */
  readonly anyPort: boolean
  readonly join: readonly string[]
  readonly joinFiles: readonly string[]
  /** Tell it also where nobody may be looking: in logs and events. */
  readonly printInvite: boolean
  readonly clusterKey: string | undefined
  readonly mdns: boolean
  readonly memory: Bytes
  readonly speed: number
  /** This machine has that speed: runs are not slowed down. */
  readonly speedIsReal: boolean
  /** A control group's file of threads: the quota there gives the speed. */
  readonly laneGroup: string | undefined
  readonly emulated: boolean
  readonly threads: LaneChoice
  readonly lanes: LaneChoice
  readonly provider: ProviderChoice
  /** File of its options. */
  readonly providerOptions: string | undefined
  readonly models: readonly { readonly file: string; readonly name: string }[]
  readonly shapes: readonly string[]
  /** By model; for all others under the empty name. */
  readonly maxBlocks: ReadonlyMap<string, number>
  /** Tensors at which a model is to be cut, by its name. */
  readonly cutAt: ReadonlyMap<string, readonly string[]>
  /** By model; for all others under the empty name. */
  readonly weights: ReadonlyMap<string, WeightChoice>
  /** Declared times of blocks at speed 1, by model. */
  readonly work: ReadonlyMap<string, readonly Seconds[]>
  /** Declared times of blocks on this device at speed 1, by model. */
  readonly times: ReadonlyMap<string, readonly Seconds[]>
  /** Own models whose first block runs on the devices of their sources. */
  readonly pinned: readonly string[]
  readonly sources: readonly string[]
  readonly preset: string | undefined
  readonly io: string | undefined
  readonly sinks: readonly SinkSpec[]
  readonly policy: PolicyName
  readonly activationEncoding: EncodingChoice
  /** Of the data of its sources, this share is computed a second time. */
  readonly audit: number
  /** A model that nobody owns and no source uses leaves the cluster after so long. */
  readonly keepModels: Seconds
  /** What names of models mean here and nothing else. */
  readonly accepts: readonly string[]
  readonly state: string | undefined
  readonly links: EmulatedLinks
  readonly startWhen: number
  readonly seed: string
  readonly exitWhenDone: boolean
  readonly exitWithParent: boolean
  /** Orders come as JSON lines on standard input. */
  readonly controlled: boolean
  /** File for what this device did. */
  readonly trace: string | undefined
  /** Spans of OpenTelemetry; undefined: no datum is followed from here, and nothing is told of others'. */
  readonly tracing: TracingFlags | undefined
  /** Where /metrics is answered. */
  readonly metrics: Endpoint | undefined
  /** Where the page is that shows the cluster. */
  readonly dashboard: Endpoint | undefined
  readonly serving: ServingFlags
  readonly log: LogOptions
  readonly jsonEvents: boolean
  readonly json: boolean
}

/** What is not said, OTEL_* say. */
export interface TracingFlags {
  readonly share: number | undefined
  readonly endpoint: URL | undefined
}

/** Where other programs are answered, and whom. Files are read when the node starts. */
export interface ServingFlags {
  readonly http: Endpoint | undefined
  readonly grpc: Endpoint | undefined
  /** Of ZeroMQ. */
  readonly frigate: string | undefined
  readonly tokenFile: string | undefined
  readonly tlsCert: string | undefined
  readonly tlsKey: string | undefined
  readonly models: string | undefined
  /** Clients may change what the node was started with. */
  readonly mayReplaceOwn: boolean
  /** Of one request, unpacked. */
  readonly limit: Bytes
}

export interface LogOptions {
  readonly format: LogFormat
  /** Instead of standard error. */
  readonly file: string | undefined
  /** A file that would become larger is rotated. */
  readonly size: Bytes
  /** How many older files stay. */
  readonly keep: number
}

/**
 * @param origin where values stand that are not of the command line
 * @throws UserError with a line for each thing that is wrong: flag, value, limit and remedy
 */
export const parseNodeOptions = (flags: NodeFlags, origin: FlagOrigin = COMMAND_LINE): NodeOptions => {
  const problems = new FlagProblems(origin)
  const links = parseLinks(flags, problems)
  refuseOdd(flags, problems)
  if (origin === COMMAND_LINE) refuseUnused(flags, problems)
  const options = {
    ...parseModelFlags(flags, problems),
    ...numbersOf(flags, problems),
    name: problems.check('name', flags.name, () => name(flags.name ?? hostname()), ''),
    listen: flags.listen,
    anyPort: flags.anyPort === true,
    join: flags.join,
    joinFiles: flags.joinFile,
    printInvite: flags.printInvite === true,
    clusterKey: flags.clusterKey,
    mdns: flags.mdns,
    speedIsReal: flags.speedIsReal !== undefined && flags.speedIsReal !== false,
    laneGroup: typeof flags.speedIsReal === 'string' ? flags.speedIsReal : undefined,
    emulated: flags.speed !== undefined || flags.times.length > 0 || !links.isEmpty,
    sources: sourcesOf(flags, problems),
    preset: flags.preset,
    io: flags.io,
    sinks: flags.sink.flatMap(text => problems.check('sink', text, () => [parseSinkSpec(text)], [])),
    policy: problems.check('policy', flags.policy, () => policy(flags.policy), 'confluence'),
    activationEncoding: problems.check(
      'activation-encoding',
      flags.activationEncoding,
      () => parseEncodingChoice(flags.activationEncoding),
      'fp32'
    ),
    provider: problems.check('provider', flags.provider, () => parseProviderChoice(flags.provider), 'cpu'),
    providerOptions: flags.providerOptions,
    state: flags.state,
    links,
    seed: flags.seed,
    exitWhenDone: flags.exitWhenDone === true,
    exitWithParent: flags.exitWithParent === true,
    controlled: flags.controlled === true,
    trace: flags.trace,
    tracing: tracingOf(flags, problems),
    metrics: endpointOf('metrics', flags.metrics, problems),
    dashboard: endpointOf('dashboard', flags.dashboard, problems),
    serving: servingOf(flags, problems),
    log: logOf(flags, problems),
    jsonEvents: flags.jsonEvents === true,
    json: flags.json === true
  }
  refuseUseless(options, problems)
  problems.refuse()
  return options
}

const tracingOf = ({ traceSample, traceEndpoint }: NodeFlags, problems: FlagProblems): TracingFlags | undefined => {
  if (traceSample === undefined && traceEndpoint === undefined) return undefined
  const share = (): number | undefined =>
    traceSample === undefined ? undefined : parseNumber('--trace-sample', traceSample, { least: 0, most: 1 })
  return {
    share: problems.check('trace-sample', traceSample ?? '', share, undefined),
    endpoint: problems.check('trace-endpoint', traceEndpoint ?? '', () => receiverOf(traceEndpoint), undefined)
  }
}

const receiverOf = (text: string | undefined): URL | undefined => {
  if (text === undefined) return undefined
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text)
  throw new UserError(`--trace-endpoint "${text}" must be a URL like http://collector:4318`)
}

/** Undefined where nothing is to listen. */
const endpointOf = (flag: string, text: string | undefined, problems: FlagProblems): Endpoint | undefined =>
  text === undefined ? undefined : problems.check(flag, text, () => parseEndpoint(`--${flag}`, text), undefined)

const parseLinks = ({ emulateLink, controlled }: NodeFlags, problems: FlagProblems): EmulatedLinks => {
  const parsed = emulateLink.flatMap(text => problems.check('emulate-link', text, () => [parseEmulatedLink(text)], []))
  return new EmulatedLinks(parsed, { isFreeForBlobs: controlled === true })
}

/** Every one is right, and each has a name of its own. */
const sourcesOf = ({ source }: NodeFlags, problems: FlagProblems): readonly string[] => {
  const names: string[] = []
  for (const text of source) {
    const check = (): void => {
      const { name } = parseSourceSpec(text)
      refuseAlike([...names, name])
      names.push(name)
    }
    problems.check('source', text, check, undefined)
  }
  return source
}

const numbersOf = (flags: NodeFlags, problems: FlagProblems) => {
  const number = (flag: string, text: string, range: NumberRange): number =>
    problems.check(flag, text, () => parseNumber(`--${flag}`, text, range), range.least)
  const choice = (flag: string, text: string): LaneChoice =>
    text === 'auto' ? text : number(flag, text, { least: 1, most: 256, isWhole: true, orElse: 'auto' })
  return {
    port: number('port', flags.port ?? String(DEFAULT_PORT), { least: 0, most: 65_535, isWhole: true }),
    memory:
      flags.memory === undefined
        ? bytes(Number.POSITIVE_INFINITY)
        : problems.check(
            'memory',
            flags.memory,
            () => size('--memory', flags.memory!),
            bytes(Number.POSITIVE_INFINITY)
          ),
    speed: flags.speed === undefined ? 1 : number('speed', flags.speed, { least: 1e-6, most: 1 }),
    audit: number('audit', flags.audit, { least: 0, most: 1 }),
    threads: choice('threads', flags.threads),
    lanes: choice('lanes', flags.lanes),
    keepModels: problems.check(
      'keep-models',
      flags.keepModels,
      () => time('--keep-models', flags.keepModels),
      seconds(0)
    ),
    accepts: flags.accept.flatMap(text => problems.check('accept', text, () => [exactModel('--accept', text)], [])),
    startWhen: number('start-when', flags.startWhen, { least: 1, most: 10_000, isWhole: true })
  }
}

const servingOf = (flags: NodeFlags, problems: FlagProblems): ServingFlags => {
  const { serveLimit = '256MiB' } = flags
  return {
    http: endpointOf('serve', flags.serve, problems),
    grpc: endpointOf('serve-grpc', flags.serveGrpc, problems),
    frigate: problems.check(
      'serve-frigate',
      flags.serveFrigate ?? '',
      () => flags.serveFrigate && parseZmqEndpoint('--serve-frigate', flags.serveFrigate),
      undefined
    ),
    tokenFile: flags.serveTokenFile,
    tlsCert: flags.serveTlsCert,
    tlsKey: flags.serveTlsKey,
    models: flags.serveModels,
    mayReplaceOwn: flags.serveReplace === true,
    limit: problems.check('serve-limit', serveLimit, () => requestSize('--serve-limit', serveLimit), bytes(0))
  }
}

/** A body is one piece of memory. */
const LARGEST_REQUEST: Bytes = bytes(2 ** 32 - 1)

const requestSize = (flag: string, text: string): Bytes => {
  const parsed = size(flag, text)
  if (parsed >= 1024 && parsed <= LARGEST_REQUEST) return parsed
  throw new UserError(`${flag} "${text}" must be from 1KiB to below 4GiB`)
}

const logOf = (flags: NodeFlags, problems: FlagProblems): LogOptions => {
  const { logFile: file, logSize = '10MiB', logKeep = '5' } = flags
  const format = problems.check('log-format', flags.logFormat, () => logFormat(flags.logFormat), 'text')
  const size = problems.check('log-size', logSize, () => logFileSize(logSize), bytes(0))
  const range = { least: 0, most: 1000, isWhole: true }
  return {
    format,
    file,
    size,
    keep: problems.check('log-keep', logKeep, () => parseNumber('--log-keep', logKeep, range), 0)
  }
}

const logFormat = (text: string): LogFormat => {
  if (text === 'text' || text === 'json') return text
  throw new UserError(`--log-format "${text}" must be text or json`)
}

/** Smaller ones would be rotated at every line. */
const LEAST_LOG: Bytes = bytes(4096)

const logFileSize = (text: string): Bytes => {
  const parsed = size('--log-size', text)
  if (parsed >= LEAST_LOG) return parsed
  throw new UserError(`--log-size "${text}" must be at least 4KiB`)
}

/** Flags that do not go together, or not alone. */
const refuseOdd = (flags: NodeFlags, problems: FlagProblems): void => {
  const odd = (flag: string, is: boolean, message: string): void => {
    if (is) problems.add(flag, undefined, message)
  }
  const readsFiles = flags.source.some(source => !/^[^=,]*=synthetic:/.test(source))
  const isAuto = flags.lanes === 'auto' || flags.threads === 'auto'
  odd(
    flags.lanes === 'auto' ? 'lanes' : 'threads',
    isAuto && (flags.speed !== undefined || flags.controlled === true),
    'auto measures this machine, and --speed stands for another: give --lanes and --threads as numbers'
  )
  odd(
    flags.lanes === '1' ? 'threads' : 'lanes',
    (isAuto || flags.lanes !== '1') && flags.provider !== 'cpu',
    'lanes and threads are of the processor: leave --provider out, or --lanes and --threads auto'
  )
  const addresses = { source: flags.source, sink: flags.sink, 'trace-endpoint': [flags.traceEndpoint ?? ''] }
  for (const [flag, texts] of Object.entries(addresses))
    for (const text of texts)
      if (isHidden(text))
        problems.add(flag, text, `--${flag}: *** stands for what was not printed: write the secret there`)
  const isUntold = flags.preset === undefined && flags.io === undefined
  odd(
    'source',
    readsFiles && isUntold,
    '--source needs to know how files become tensors: add --preset classify|detect|ocr|embedding|raw or --io FILE'
  )
  odd('preset', flags.preset !== undefined && flags.io !== undefined, '--preset and --io exclude each other: keep one')
  odd('source', flags.source.length > 0 && flags.sink.length === 0, '--source needs --sink FILE.jsonl for its results')
  const toStdout = flags.sink.some(text => STDOUT.includes(text.split(',')[0]!))
  const isPrinted = toStdout && (flags.json === true || flags.jsonEvents === true)
  odd('sink', isPrinted, '--sink - and --json both write standard output: keep one')
  const isPortTwice = flags.listen.length > 0 && (flags.port !== undefined || flags.anyPort === true)
  odd('listen', isPortTwice, '--listen names a port already: leave --port and --any-port out')
  const odds = { 'log-size': flags.logSize, 'log-keep': flags.logKeep }
  for (const [flag, text] of Object.entries(odds))
    odd(flag, text !== undefined && flags.logFile === undefined, `--${flag} is of a log file: add --log-file FILE`)
  const { serve, serveGrpc, dashboard, metrics } = flags
  const serves = [serve, serveGrpc, dashboard, metrics].some(port => port !== undefined)
  const ofServing = {
    'serve-token-file': flags.serveTokenFile,
    'serve-tls-cert': flags.serveTlsCert,
    'serve-tls-key': flags.serveTlsKey,
    'serve-limit': flags.serveFrigate === undefined ? flags.serveLimit : undefined
  }
  for (const [flag, text] of Object.entries(ofServing))
    odd(
      flag,
      text !== undefined && !serves,
      `--${flag} is of a node that serves: add --serve PORT, --serve-grpc PORT, --dashboard PORT or --metrics PORT`
    )
  const ofModels = { 'serve-models': flags.serveModels !== undefined, 'serve-replace': flags.serveReplace === true }
  for (const [flag, isGiven] of Object.entries(ofModels))
    odd(
      flag,
      isGiven && serve === undefined && serveGrpc === undefined,
      `--${flag} is of a node that clients ask for models: add --serve PORT or --serve-grpc PORT`
    )
  odd(
    'provider-options',
    flags.providerOptions !== undefined && flags.provider === 'cpu',
    '--provider-options is of another provider than cpu: add --provider auto, or its name'
  )
  const isHalf = (flags.serveTlsCert === undefined) !== (flags.serveTlsKey === undefined)
  odd('serve-tls-cert', isHalf, '--serve-tls-cert and --serve-tls-key belong together: give both')
  const readers = flags.source.filter(source => /^[^=,]*=stdin:/.test(source)).length
  odd('source', readers > 1, 'standard input is one source: give one --source NAME=stdin:, and files to the others')
  const takesInput = flags.join.includes('-') || flags.controlled === true || flags.exitWithParent === true
  odd(
    'source',
    readers > 0 && takesInput,
    '--source NAME=stdin: reads standard input: leave --join -, --controlled and --exit-with-parent out'
  )
  odd(
    'join',
    flags.join.includes('-') && flags.controlled === true,
    '--join - and --controlled both read standard input: use --join-file'
  )
}

/** Flags that would do nothing, where nothing can come that they are for: with a config file it may, when that is read again. */
const refuseUnused = (flags: NodeFlags, problems: FlagProblems): void => {
  const { serve, serveGrpc, serveFrigate, dashboard, serveTokenFile } = flags
  const isAsked = [serve, serveGrpc, serveFrigate].some(port => port !== undefined)
  const mayAdd = dashboard !== undefined && serveTokenFile !== undefined
  if (Number(flags.audit) > 0 && flags.source.length === 0 && !isAsked && !mayAdd)
    problems.add(
      'audit',
      undefined,
      '--audit is of the data of own sources: add --source, or give it to the node that has one'
    )
  const ofModels = { weights: flags.weights, shape: flags.shape }
  for (const [flag, texts] of Object.entries(ofModels))
    if (texts.length > 0 && flags.model.length === 0)
      problems.add(flag, undefined, `--${flag} is of own models: add --model FILE, or give it to the node that has one`)
}

/** What cannot come to anything with what else was said. */
const refuseUseless = ({ lanes, threads, memory, provider, ...options }: NodeOptions, problems: FlagProblems): void => {
  if (memory === 0 && provider !== 'cpu')
    problems.add(
      'provider',
      undefined,
      '--provider runs blocks, and with --memory of nothing none are carried: keep one'
    )
  // Whoever stands for another device has its lanes.
  if (lanes === 'auto' || threads === 'auto' || options.controlled || options.speed < 1) return
  const limit = laneLimit(lanes, threads, availableParallelism())
  const given = [...(lanes > 1 ? [`--lanes ${lanes}`] : []), ...(threads > 1 ? [`--threads ${threads}`] : [])]
  if (limit !== undefined) problems.add(lanes > 1 ? 'lanes' : 'threads', undefined, `${given.join(' with ')} ${limit}`)
}

const size = (flag: string, text: string): Bytes => {
  try {
    return parseSize(text)
  } catch (error) {
    throw new UserError(`${flag}: ${(error as Error).message}`)
  }
}

const time = (flag: string, text: string): Seconds => {
  try {
    return parseTime(text)
  } catch (error) {
    throw new UserError(`${flag}: ${(error as Error).message}`)
  }
}

const name = (text: string): string => {
  if (NAME_PATTERN.test(text)) return text
  throw new UserError(`--name "${text}": ${NAME_WORDS}`)
}

const policy = (text: string): PolicyName => {
  if (isPolicyName(text)) return text
  const near = nearest(text, POLICY_NAMES)
  const meant = near === undefined ? '' : ` (did you mean ${near}?)`
  throw new UserError(`--policy "${text}" is not a policy${meant}; known: ${POLICY_NAMES.join(', ')}`)
}
