import type { EncodingChoice } from '../core/activation-encoding.ts'
import type { ProviderChoice, ProviderName } from '../runtime/engine/providers/provider-name.ts'
import type { PolicyName } from '../scheduler/policies.ts'
import type { CreatePolicy } from '../scheduler/policy.ts'
import type { LogLine } from './cluster-events.ts'

/** How an execution provider of ONNX Runtime is used. */
export interface ProviderUse {
  /** As ONNX Runtime knows them: `{ deviceId: 1 }`. @default none */
  readonly options?: Readonly<Record<string, string | number | boolean>>
  /** By how much a block's outputs may differ from those of cpu, of the largest. @default 1e-3 */
  readonly limit?: number
  /** Also where it is slower than cpu: to keep the processor free. @default false */
  readonly evenIfSlower?: boolean
}

/** A model that this device brings into the cluster: it is cut here, and its blocks are fetched from here. */
export interface ModelOptions {
  /** The ONNX file. */
  readonly file: string
  /** What sources call it; `name@fingerprint` where the file is to be no other. @default the file's name without .onnx */
  readonly name?: string
  /** A shape for each input that has dynamic dimensions: { x: [1, 3, 48, 320] }. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>
  /** Cut into at most so many blocks. @default 12 */
  readonly blocks?: number
  /** Cut exactly at these tensors instead. */
  readonly cutAt?: readonly string[]
  /** Its weights are stored in fewer bits: 'fp16' or 'int8', of some blocks alone 'int8@0-2,5'. Results are a little off then. @default as they are */
  readonly weights?: string
  /** The first block runs on the device of the datum's source and nowhere else: raw data stay there. @default false */
  readonly pinned?: boolean
}

/** Where programs of others are answered, by the Open Inference Protocol. At least one of `http` and `grpc`. */
export interface ServeOptions {
  /** "8000" or 8000 of this machine alone, "192.168.1.5:8000"; port 0: any. Needs the package fastify. */
  readonly http?: string | number
  /** Likewise, for gRPC. */
  readonly grpc?: string | number
  /** Who asks must bring it as a bearer token. @default everybody may ask */
  readonly token?: string
  /** Certificate and key in PEM. @default answers are not encrypted */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** A folder of models that clients may load by name: NAME.onnx, or NAME/1/model.onnx. @default none */
  readonly models?: string
  /** Clients may also unload and replace the models that this device was started with. @default false */
  readonly replace?: boolean
  /** Largest request, unpacked: bytes, or text like "64MiB". @default 256MiB */
  readonly limit?: number | string
}

/** Traces of OpenTelemetry. Needs the packages @opentelemetry/sdk-trace-base, exporter-trace-otlp-http and resources. */
export interface TracingOptions {
  /** Where an OTLP receiver listens for HTTP. @default what OTEL_EXPORTER_OTLP_ENDPOINT says, else http://localhost:4318 */
  readonly endpoint?: string
  /** This share of the data of its sources is followed, 0 to 1. @default what OTEL_TRACES_SAMPLER_ARG says, else 0.01 */
  readonly sample?: number
}

/** How this process becomes a device, and of which cluster. All of it may be left out. */
export interface JoinOptions {
  /** What the others call this device. @default the host's name */
  readonly name?: string
  /** Folder for what outlives the process: identity, key, blocks, addresses of others. @default ~/.tributary/NAME */
  readonly state?: string
  /**
   * Invites (`cluster.invite()`, or what `tributary invite` prints), or addresses where the key is there already. Absent: the
   * cluster that the state folder belongs to, or a new one.
   */
  readonly join?: string | readonly string[]
  /** File of the shared key. @default in the state folder */
  readonly clusterKey?: string
  /** Addresses to listen on, like "192.168.1.5:6174" or "127.0.0.1:0". @default everywhere, on port 6174 or the next that is free */
  readonly listen?: string | readonly string[]
  /** Whether devices are looked for on the local network. @default true */
  readonly mdns?: boolean
  /** Limit for the blocks carried here: bytes, or text like "64MiB". @default not limited */
  readonly memory?: number | string
  /** Emulate a slower device: 0.25 takes four times as long. @default 1, not emulated */
  readonly speed?: number
  /** Threads inside ONNX Runtime's operators; auto: what is measured to be best. @default 1 */
  readonly threads?: number | 'auto'
  /** So many blocks run at once, each lane with its own copy of them; auto: what is measured to serve best. @default 1 */
  readonly lanes?: number | 'auto'
  /** What runs blocks besides the processor, per block where it is there, is faster and comes to the same. @default cpu */
  readonly provider?: ProviderChoice
  /** By the name of the provider: its own options, and how it is used. */
  readonly providerOptions?: Readonly<Partial<Record<Exclude<ProviderName, 'cpu'>, ProviderUse>>>
  /** Who computes what next: a policy by name or one of your own; the same on all devices. @default confluence */
  readonly policy?: PolicyName | CreatePolicy
  /** How activations travel: anything but fp32 changes results a little; the same on all devices. @default fp32 */
  readonly activationEncoding?: EncodingChoice
  /** Of the data of its sources, this share, 0 to 1, is computed a second time by other devices, and compared. @default 0 */
  readonly audit?: number
  /** Models that this device owns from the start. @default none */
  readonly models?: readonly ModelOptions[]
  /**
   * What names of models mean to this device and nothing else, whatever they were pinned to: `name@fingerprint`, of which
   * 12 digits are enough. @default what they meant when they were first used
   */
  readonly accepts?: readonly string[]
  /** Answer other programs. @default nobody is answered */
  readonly serve?: ServeOptions
  /** Send traces of data, and of what is done here for those of others. @default none are made */
  readonly tracing?: TracingOptions
  /** Sources wait until so many devices are there and ready. @default 1 */
  readonly startWhen?: number
  /** Ends it while it starts, which takes as long as cutting its models does; `stop` is for later. */
  readonly signal?: AbortSignal
  /** Hears what the device has to say to people, from the first line on. @default nobody */
  readonly log?: (line: LogLine) => void
}
