import { bytes } from '../core/units.ts'

/** What a server takes from its clients, whatever they do. */
export const SERVING_LIMITS = {
  /** Bytes of one request, unpacked. */
  body: bytes(256 * 2 ** 20),
  /** Connections at once; of more, one that is idle is ended. */
  connections: 1024,
  /** Milliseconds in which nothing more of a request comes: it is given up. */
  silence: 10_000,
  /** Milliseconds for the whole of a request; for its headers; of an idle connection. */
  request: 300_000,
  headers: 20_000,
  idle: 120_000
} as const

export type ServingLimits = { readonly [K in keyof typeof SERVING_LIMITS]: number }

/** So many bytes of requests are held at once, in bodies of the largest size. */
export const BODIES_AT_ONCE = 4
