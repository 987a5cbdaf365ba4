import { randomBytes } from 'node:crypto'
import type { Random } from './ports/random.ts'

/** Of the machine's own source. */
export const nodeRandom: Random = { bytes: count => new Uint8Array(randomBytes(count)) }
