import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { UserError } from '../../src/core/user-error.ts'
import { cutApart } from '../../src/runtime/onnx/cut-apart.ts'
import { type Door, fuzzDoor } from '../../src/testing/fuzz-door.ts'
import { FILE_DOORS, SERVING_DOORS, WIRE_DOORS } from '../../src/testing/fuzz-doors.ts'
import { inputDoors } from '../../src/testing/input-doors.ts'
import { mixerModel } from '../../src/testing/serving-models.ts'

const folder = mkdtempSync(join(tmpdir(), 'tributary-fuzz-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 10)
const seed = process.env['FUZZ_SEED'] ?? 'npm run test:long'
const limits = { seed, cases: Number.POSITIVE_INFINITY, time: SECONDS }

/** In the process that cuts models for a device: one that dies is no refusal. */
const onnx: Door = {
  name: 'onnx',
  samples: [mixerModel()],
  take: async bytes => {
    const file = join(folder, 'damaged.onnx')
    writeFileSync(file, bytes)
    await cutApart({ file, shapes: new Map(), maxBlocks: 3, cutAt: [], draft: join(folder, 'block-') })
  },
  isRefusal: error => error instanceof UserError,
  most: 60_000
}

test.each([...WIRE_DOORS, ...FILE_DOORS, ...SERVING_DOORS, ...(await inputDoors())])(
  '$name: damaged bytes for seconds',
  async door => {
    const { cases, taken, refused } = await fuzzDoor(door, limits)
    console.info(`${door.name}: seed "${seed}", ${cases} cases in ${SECONDS} s, ${taken} taken, ${refused} refused`)
    expect(refused).toBeGreaterThan(0)
  }
)

test('ONNX files: damaged ones are cut or refused in words, and the process that cuts does not die', async () => {
  const { cases, taken, refused } = await fuzzDoor(onnx, { ...limits, time: 18 * SECONDS })
  console.info(`onnx: seed "${seed}", ${cases} cases, ${taken} cut, ${refused} refused`)
  expect(refused).toBeGreaterThan(0)
  await onnx.take(mixerModel() as Uint8Array<ArrayBuffer>)
}, 900_000)
