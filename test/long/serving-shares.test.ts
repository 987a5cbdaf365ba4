import { TensorProto_DataType as T } from 'onnx-buf'
import { Pool } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildModel, floats, ints, node, value } from '../../src/testing/onnx-builder.ts'
import { modelOf, servingCluster, untilReady } from '../serving-cluster.ts'

const cluster = servingCluster()
/** Of two nodes that carry nothing: a third one computes for both. */
let doors: readonly [string, string]

/** Some milliseconds of products of one number. */
const products = (): Uint8Array =>
  buildModel({
    inputs: [value('x', T.FLOAT, [1, 1])],
    outputs: [value('y', T.FLOAT, [1, 1])],
    weights: [floats('w', [448, 448], 0.01)],
    nodes: [
      node('Add', ['x', 'w'], ['a']),
      node('MatMul', ['a', 'a'], ['b']),
      node('MatMul', ['b', 'a'], ['c']),
      node('ReduceMean', ['c'], ['y'], [ints('axes', [0, 1])])
    ]
  })

beforeAll(async () => {
  await cluster.start('shed', { models: [modelOf(cluster.file('products.onnx', products()), 'm')] })
  const serving = await Promise.all(
    ['porch', 'door'].map(name => cluster.start(name, { memory: 0, serve: { http: 0 } }))
  )
  doors = serving.map(({ serving }) => serving!.http!) as [string, string]
  await Promise.all(doors.map(door => untilReady(door, 'm')))
})
afterAll(() => cluster[Symbol.asyncDispose]())

/** Seconds until windows have found their measure. */
const WARM = 8

interface Client {
  readonly door: string
  readonly name: string
  /** By header, or by a parameter of the request. */
  readonly by: 'header' | 'parameter'
  readonly priority?: number
  /** Requests that it has in flight. */
  readonly inFlight: number
}

/** Of each client the times of the answers that came, in milliseconds, when all had been asking for a while. */
const ask = async (clients: readonly Client[], seconds: number): Promise<readonly (readonly number[])[]> => {
  const begun = performance.now()
  const isOver = (): boolean => performance.now() - begun > 1000 * (WARM + seconds)
  const one = async ({ door, name, by, priority, inFlight }: Client): Promise<readonly number[]> => {
    const pool = new Pool(door, { connections: inFlight })
    const parameters = {
      ...(priority === undefined ? {} : { priority }),
      ...(by === 'parameter' ? { source: name } : {})
    }
    const body = JSON.stringify({ parameters, inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [0] }] })
    const headers = by === 'header' ? { 'x-tributary-source': name } : {}
    const times: number[] = []
    const asking = async (): Promise<void> => {
      while (!isOver()) {
        const start = performance.now()
        const answer = await pool.request({ method: 'POST', path: '/v2/models/m/infer', body, headers })
        expect([answer.statusCode, (await answer.body.text()).slice(0, 40)]).toEqual([200, expect.any(String)])
        const now = performance.now()
        if (start - begun > 1000 * WARM && !isOver()) times.push(now - start)
      }
    }
    await Promise.all(Array.from({ length: inFlight }, asking))
    await pool.close()
    return times
  }
  return Promise.all(clients.map(one))
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

test('clients say what they count by the priority of a request, and who they are by its header or a parameter', async () => {
  const [heavy, light] = await ask(
    [
      { door: doors[0], name: 'gate', by: 'header', priority: 1, inFlight: 32 },
      { door: doors[1], name: 'yard', by: 'parameter', priority: 3, inFlight: 32 }
    ],
    10
  )
  // 3, as the same in simulated time has it to some percent; here others use the machine.
  expect(heavy!.length / light!.length).toBeGreaterThan(2)
  expect(heavy!.length / light!.length).toBeLessThan(4.5)
}, 120_000)

test('who asks for one thing at a time does not wait in the queue of who asks for 64 at once', async () => {
  const [greedy, modest] = await ask(
    [
      { door: doors[0], name: 'greedy', by: 'header', inFlight: 64 },
      { door: doors[0], name: 'modest', by: 'header', inFlight: 1 }
    ],
    10
  )
  expect(modest!.length).toBeGreaterThan(greedy!.length / 40)
  expect(mean(modest!)).toBeLessThan(mean(greedy!) / 2)
}, 120_000)
