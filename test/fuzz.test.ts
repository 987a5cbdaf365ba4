import { expect, test } from 'vitest'
import { fuzzDoor } from '../src/testing/fuzz-door.ts'
import { FILE_DOORS, SERVING_DOORS, WIRE_DOORS } from '../src/testing/fuzz-doors.ts'
import { inputDoors } from '../src/testing/input-doors.ts'

// Every door for bytes of others, with samples that are damaged: more in the same time with FUZZ_SECONDS for each door, others with
// FUZZ_SEED. `npm run test:long` takes minutes for it.

const CASES = 400
const LONG = Number(process.env['FUZZ_SECONDS'] ?? 0)
const limits = {
  seed: process.env['FUZZ_SEED'] ?? 'npm test',
  ...(LONG > 0 ? { cases: Number.POSITIVE_INFINITY, time: LONG } : { cases: CASES, time: 0.9 })
}

test.each([...WIRE_DOORS, ...FILE_DOORS, ...SERVING_DOORS, ...(await inputDoors())])(
  '$name: damaged bytes are taken or refused in words, soon and without memory',
  async door => {
    for (const sample of door.samples) await door.take(Uint8Array.from(sample))
    const { cases, taken, refused, megabytes } = await fuzzDoor(door, limits)
    console.info(
      `${door.name}: seed "${limits.seed}", ${cases} cases, ${taken} taken, ${refused} refused, ${megabytes.toFixed(0)} MB`
    )
    // Damage that nothing notices is none.
    expect(refused).toBeGreaterThan(0)
    expect(cases).toBeGreaterThan(2)
    for (const sample of door.samples) await door.take(Uint8Array.from(sample))
  },
  900_000
)
