/** onnxruntime-node called directly, as fast as it goes: says how many runs a second, over so many seconds. */
import { performance } from 'node:perf_hooks'
import { InferenceSession, Tensor } from 'onnxruntime-node'

const [file = '', dims = '', threads = '1', seconds = '3'] = process.argv.slice(2)
const session = await InferenceSession.create(file, { intraOpNumThreads: Number(threads), interOpNumThreads: 1 })
const shape = dims.split('x').map(Number)
const size = shape.reduce((a, b) => a * b, 1)
const feeds = { [session.inputNames[0]!]: new Tensor('float32', new Float32Array(size).fill(0.25), shape) }
for (let i = 0; i < 5; i++) await session.run(feeds)
const begun = performance.now()
let runs = 0
for (; performance.now() - begun < Number(seconds) * 1000; runs++) await session.run(feeds)
process.stdout.write(`${runs / ((performance.now() - begun) / 1000)}\n`)
