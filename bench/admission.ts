import { deviceId, modelId } from '../src/core/ids.ts'
import { createRng } from '../src/core/rng.ts'
import { bytes, bytesPerSecond, seconds } from '../src/core/units.ts'
import { World } from '../src/core/world.ts'
import { POLICIES, POLICY_NAMES } from '../src/scheduler/policies.ts'
import { taskState } from '../src/testing/task-state.ts'
import { judge } from './judge.ts'
import { median, quantile } from './median.ts'

// One admission decision: 20 devices, all linked to all, 24 blocks, everything carried everywhere (the largest search).

const DEVICES = 20
const BLOCKS = 24
const ROUNDS = 2000

const rng = createRng('admission')
const world = new World()
world.addModel({
  id: modelId('m'),
  work: Array.from({ length: BLOCKS }, () => seconds(0.002 + 0.01 * rng.next())),
  activations: Array.from({ length: BLOCKS + 1 }, () => bytes(1e5 + 1e6 * rng.next()))
})
for (let n = 0; n < DEVICES; n++) world.addDevice(deviceId(`d${n}`), 0.25 + 1.75 * rng.next())
for (let a = 0; a < DEVICES; a++) {
  for (let b = 0; b < DEVICES; b++) {
    if (a !== b) world.setLink(a, b, bytesPerSecond(2.5e6 + 35e6 * rng.next()), seconds(0.002))
  }
  for (let k = 0; k < BLOCKS; k++) world.setCarried(a, 0, k, true)
}

process.stdout.write(
  `one admission decision, ${DEVICES} devices, ${BLOCKS} blocks, ${ROUNDS} decisions, seed "admission"\n`
)
for (const name of POLICY_NAMES) {
  const policy = POLICIES[name]({
    self: 0,
    world,
    backlog: () => seconds(0),
    linkBacklog: () => seconds(0),
    tasks: () => []
  })
  const times: number[] = []
  for (let datum = -200; datum < ROUNDS; datum++) {
    const now = seconds(datum * 0.01)
    const task = taskState({ datum, isBacklogged: true, availableAt: now, arrivedAt: now })
    const start = performance.now()
    policy.admit(task, now)
    if (datum >= 0) times.push(performance.now() - start)
  }
  const typical = median(times)
  const measured = `median ${typical.toFixed(3)} ms, 99 % within ${quantile(times, 0.99).toFixed(3)} ms`
  process.stdout.write(judge(name.padEnd(12), measured, typical, { atMost: 1 }))
}
