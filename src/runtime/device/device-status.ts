import { z } from 'zod'
import { ACTIVATION_ENCODINGS } from '../../core/activation-encoding.ts'

const auditedSchema = z.object({
  device: z.string(),
  model: z.string(),
  seconds: z.number(),
  because: z.string().max(1000)
})

/** One device's own part of `tributary status --json`; travels as JSON in its slow state. Seconds, bytes. */
export const deviceReportSchema = z.object({
  name: z.string(),
  id: z.string(),
  /** A guest came for one job: to look on, to ask. */
  role: z.enum(['device', 'guest']).default('device'),
  speed: z.number(),
  emulated: z.boolean(),
  /** Bytes for blocks; null when not limited. */
  memory: z.number().nullable(),
  /** So many blocks it runs at once; each lane holds its own, and all of them count against `memory`. */
  lanes: z.number().default(1),
  /** Threads of each, and why, where the device chose that itself; null: it was told. */
  split: z
    .object({ threads: z.number(), because: z.string().max(2000) })
    .nullable()
    .default(null),
  policy: z.string(),
  /** How far it is in its life. */
  state: z.enum(['new', 'starting', 'running', 'draining', 'stopped', 'failed']).default('running'),
  /** Why it has failed; '' where it has not. */
  because: z.string().default(''),
  /** As it was asked for; '' of a device that does not say. */
  activationEncoding: z.string().default(''),
  uptime: z.number(),
  /** `residentBytes`: of the blocks carried, what counts against `memory`. */
  models: z.record(
    z.string(),
    z.object({
      blocks: z.array(z.number()),
      residentBytes: z.number(),
      /** What each of `blocks` runs on, in their order, and why; left out where all run on cpu because nothing else was asked for. */
      providers: z.array(z.object({ provider: z.string(), because: z.string().max(2000) })).optional(),
      /** So many data of each of `blocks`, in their order, are run at once where as many wait; left out where all run one at a time. */
      batches: z.array(z.number()).optional()
    })
  ),
  queue: z.object({ lane: z.number(), links: z.number(), waiting: z.number() }),
  tasks: z.number(),
  /** Seconds in which its lanes ran blocks, since the start; of two, a second in which one did counts half. */
  busySeconds: z.number(),
  /** Of these, beyond what was declared: the machine was busy with something else. */
  lateSeconds: z.number().default(0),
  /** Share of the last ten seconds, likewise. */
  busy: z.number(),
  /** By how much its main thread came late to what it does ten times a second, in all: others used the processors. */
  tickLateness: z.number().default(0),
  /** How often it looked. */
  ticks: z.number().default(0),
  /** Blocks per second over the last ten seconds. */
  rate: z.number(),
  bytesSent: z.number(),
  /** Weights fetched from other devices so far. */
  weightsFetched: z.number().default(0),
  /** As planner. */
  planning: z
    .object({
      /** By what share the speed or rate that is furthest off differs from what was planned with. */
      drift: z.number(),
      /** By what had changed. */
      plans: z.record(z.string(), z.number()),
      /** For so long it has been making a plan; null while it makes none. */
      seconds: z.number().nullable().default(null)
    })
    .default({ drift: 0, plans: {}, seconds: null }),
  rss: z.number(),
  links: z.array(
    z.object({
      to: z.string(),
      rate: z.number(),
      latency: z.number(),
      bytesSent: z.number(),
      busySeconds: z.number().default(0),
      emulated: z.boolean(),
      /** That it shares with other links; '' where it is one of its own. */
      medium: z.string().default(''),
      /** How float32 activations travel on it; `rate` is of bytes as sent. */
      encoding: z.enum(ACTIVATION_ENCODINGS).default('fp32')
    })
  ),
  waiting: z.array(z.object({ model: z.string(), block: z.number(), tasks: z.number(), because: z.string() })),
  /** Models that are not computed here for so many seconds, null: until the device is started anew. */
  barred: z.array(z.object({ model: z.string(), seconds: z.number().nullable(), because: z.string() })).default([]),
  /** What is wrong with the device, in words, besides what the other fields show. */
  troubles: z.array(z.string().max(1000)).max(100).default([]),
  /** Jobs that it has failed at, how often, and why the last time; `lasts`: at the last try too. The others go on. */
  jobs: z.array(z.object({ job: z.string(), times: z.number(), because: z.string(), lasts: z.boolean() })).default([]),
  counters: z.object({
    refusedPeers: z.number(),
    malformedFrames: z.number(),
    oversizedFrames: z.number(),
    refusedTasks: z.number(),
    /** Results and other words about data by devices that were not given these. */
    unproven: z.number().default(0),
    /** What others asked or said beyond a budget, by the budget. */
    beyondBudget: z.record(z.string(), z.number()).default({})
  }),
  /** Of whom this device has not heard all lately, and by which budget; the latest first. */
  refusedPeers: z
    .array(z.object({ peer: z.string(), budget: z.string(), times: z.number(), because: z.string() }))
    .default([]),
  /** Data of its sources that were computed a second time, by what came of it; who computes otherwise than others. */
  audits: z
    .object({
      agreed: z.number(),
      deviated: z.number(),
      /** Two differ, and there is no third that agrees with either. */
      undecided: z.number(),
      /** Nobody else could compute it, or it was not shown what had been. */
      impossible: z.number(),
      setAside: z.array(auditedSchema).max(1000)
    })
    .default({ agreed: 0, deviated: 0, undecided: 0, impossible: 0, setAside: [] }),
  sources: z.array(
    z.object({
      name: z.string(),
      device: z.string(),
      model: z.string(),
      state: z.string(),
      /** What it waits for, why it cannot go on; '' where nothing holds it up. */
      because: z.string().default(''),
      available: z.number(),
      /** Its data are requests: whoever asked is told what became of each, and no sink. */
      isAsked: z.boolean().default(false),
      /** Of this and of earlier processes: in the sink, on its way, failed, or dropped. */
      admitted: z.number(),
      completed: z.number(),
      /** Could not be computed, or were no items of their kind, of this and of earlier processes: each has a record in the sink that says why. */
      failed: z.number().default(0),
      /** Of these, files that were no items: they are read again when they change. */
      noItems: z.number().default(0),
      /** Let go before they were computed, of this and of earlier processes: each has a record in the sink that says why. */
      dropped: z.number().default(0),
      /** Of these, by this process, for each reason. */
      droppedBy: z.record(z.string(), z.number()).default({}),
      /** Items that are absent, unreadable or still being written; when the source is done, those that only the next start tries again. */
      unavailable: z.number().default(0),
      inFlight: z.number(),
      /** So many data it may have in flight now; 0 of a device that does not say. */
      window: z.number().default(0),
      /** Its share beside the others', where there is not enough for all; 0 of a device that does not say. */
      weight: z.number().default(0),
      /** Of each place that results are delivered to: bytes that wait on the disk, also of other sources, and why nothing is delivered now. */
      deliveries: z.array(z.object({ to: z.string(), waiting: z.number(), because: z.string() })).default([]),
      /** Data that could not be computed, by this process. */
      lost: z.number(),
      duplicates: z.number(),
      resent: z.number(),
      /** Results per second over the last ten seconds. */
      rate: z.number(),
      /** Seconds; null while nothing was measured. */
      inferenceTime: z.object({
        mean: z.number().nullable(),
        p50: z.number().nullable(),
        p95: z.number().nullable(),
        p99: z.number().nullable()
      })
    })
  )
})

export type DeviceReport = z.infer<typeof deviceReportSchema>

export const clusterStatusSchema = z.object({
  answeredBy: z.string(),
  planner: z.string().nullable(),
  devices: z.array(deviceReportSchema.omit({ sources: true })),
  /** Who looks on or asks, and has room for no block. */
  guests: z.array(z.object({ name: z.string(), id: z.string() })).default([]),
  sources: deviceReportSchema.shape.sources,
  /** What devices were told differently and should not have been, in words. */
  differences: z.array(z.string()).default([]),
  placement: z.object({
    epoch: z.number(),
    ready: z.boolean(),
    models: z.record(z.string(), z.record(z.string(), z.array(z.number()))),
    unplaced: z.array(z.object({ model: z.string(), block: z.number(), because: z.string() }))
  }),
  /**
   * Models that are not computed on a device for so many seconds more, null: until it is started anew. It fails at what
   * others can do, or a block did not end there.
   */
  setAside: z
    .array(z.object({ device: z.string(), model: z.string(), seconds: z.number().nullable(), because: z.string() }))
    .default([]),
  /**
   * Data that were computed a second time, those of which two results differed, and who was set aside for it: as each device
   * says of its own sources (`by`).
   */
  audits: z
    .object({
      done: z.number(),
      deviations: z.number(),
      /** Were to be audited, and nobody else could compute them: delivered without. */
      impossible: z.number().default(0),
      setAside: z.array(auditedSchema.extend({ by: z.string() }))
    })
    .default({ done: 0, deviations: 0, impossible: 0, setAside: [] }),
  losses: z.object({
    lost: z.number(),
    duplicates: z.number(),
    resent: z.number(),
    failed: z.number().default(0),
    dropped: z.number().default(0),
    devicesLost: z.number()
  })
})

/** What `tributary status --json` prints. */
export type ClusterStatus = z.infer<typeof clusterStatusSchema>
