import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bytes, seconds } from '../../core/units.ts'
import { systemClock } from '../../runtime/system-clock.ts'
import { TraceFile } from '../node/trace-file.ts'
import { MergedTrace } from './merged-trace.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-merged-trace-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const scenario = {
  devices: [{ name: 'porch' }, { name: 'shed' }, { name: 'attic' }],
  sources: [{ name: 'cam', device: 0 }]
} as unknown as ConstructorParameters<typeof MergedTrace>[0]

const life = (name: string, offset: number): Promise<TraceFile> =>
  TraceFile.open(join(folder, name), { clock: systemClock, offset: seconds(offset), say: () => {} })
const cam = { source: 'cam@porch', datum: 7 }
const task = { ...cam, model: 'net', ready: seconds(0.5), start: seconds(1), end: seconds(1.5) }

const merged = async (...names: string[]): Promise<MergedTrace> => {
  const trace = new MergedTrace(scenario)
  for (const device of names)
    await trace.add({ policy: 'local', device, file: join(folder, device), zero: seconds(1000) })
  return trace
}

test('processes that began at different times are told on one time axis, from the start of the run', async () => {
  {
    await using porch = await life('porch', 1000.25)
    await using shed = await life('shed', 1003)
    porch.observer.admitted({ ...cam, available: seconds(0.25), at: seconds(0.5) })
    porch.observer.ran({ ...task, block: 0 })
    const passage = { activation: 1, bytes: bytes(600), ready: seconds(1.25), start: seconds(1.5), end: seconds(2) }
    porch.observer.sent({ ...cam, to: 'shed', ...passage })
    shed.observer.ran({ ...task, block: 1 })
    porch.observer.ended({ ...cam, outcome: 'result', available: seconds(0), at: seconds(4) })
  }
  const { tasks, transfers, data, left } = await merged('porch', 'shed', 'attic')
  const of = { policy: 'local', source: 'cam', datum: 7 }
  expect(tasks).toEqual([
    { ...of, device: 'porch', model: 'net', block: 0, start: 1.25, end: 1.75 },
    { ...of, device: 'shed', model: 'net', block: 1, start: 4, end: 4.5 }
  ])
  expect(transfers).toEqual([{ ...of, from: 'porch', to: 'shed', activation: 1, bytes: 600, start: 1.75, end: 2.25 }])
  expect(data).toEqual([{ ...of, device: 'porch', start: 0.5, admitted: 0.75, end: 4.25 }])
  expect(left).toBe(0)
})

test('a killed device leaves half a line; its next life goes on after it, and its datum counts from its new start', async () => {
  const first = await life('killed', 1000)
  first.observer.admitted({ ...cam, available: seconds(0), at: seconds(0) })
  await first[Symbol.asyncDispose]()
  await appendFile(join(folder, 'killed'), '{"did":"ran","source":"cam@porch","datum":7,"mod')
  const second = await life('killed', 1005)
  second.observer.admitted({ ...cam, available: seconds(1), at: seconds(1) })
  second.observer.ran({ ...task, block: 0 })
  second.observer.ended({ ...cam, outcome: 'result', available: seconds(0), at: seconds(3) })
  await second[Symbol.asyncDispose]()
  const { tasks, data } = await merged('killed')
  expect(tasks).toMatchObject([{ block: 0, start: 6, end: 6.5 }])
  expect(data).toMatchObject([{ datum: 7, start: 6, end: 8 }])
})

test('what is no line of a trace, or of a source that is not in the scenario, is left out; what never came home has no end', async () => {
  const line = { did: 'admitted', source: 'cam@porch', datum: 1, available: 1001, at: 1001 }
  const others = [{ ...line, did: 'slept' }, { ...line, source: 'cam@barn' }, { ...line, at: null }, [], line]
  await writeFile(join(folder, 'odd'), `nonsense\n${others.map(other => JSON.stringify(other)).join('\n')}`)
  const { data } = await merged('odd')
  expect(data).toEqual([{ policy: 'local', source: 'cam', device: 'odd', datum: 1, start: 1, admitted: 1 }])
})

test('a trace that cannot be written is said before anything starts', async () => {
  await expect(life(join('nowhere', 'trace'), 0)).rejects.toThrow(/^--trace .*nowhere.*no such file or folder/)
})
