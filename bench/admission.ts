import { deviceId, modelId } from '../src/core/ids.ts'
import { createRng } from '../src/core/rng.ts'
import { bytes, bytesPerSecond, seconds } from '../src/core/units.ts'
import { World } from '../src/core/world.ts'
import { POLICIES, POLICY_NAMES, type PolicyName } from '../src/scheduler/policies.ts'
import { taskState } from '../src/testing/task-state.ts'
import { judge } from './judge.ts'
import { median, quantile } from './median.ts'

// One admission decision, everything carried everywhere (the largest search): 20 devices, all linked to all, under each policy; and
// 1,000 devices under confluence, each linked to its eight nearest, then all to all.

const BLOCKS = 24

interface Network {
  readonly devices: number
  /** Each is linked to so many. */
  readonly degree: number
}

const worldOf = ({ devices, degree }: Network): World => {
  const rng = createRng('admission')
  const world = new World()
  world.addModel({
    id: modelId('m'),
    work: Array.from({ length: BLOCKS }, () => seconds(0.002 + 0.01 * rng.next())),
    activations: Array.from({ length: BLOCKS + 1 }, () => bytes(1e5 + 1e6 * rng.next()))
  })
  for (let n = 0; n < devices; n++) world.addDevice(deviceId(`d${n}`), 0.25 + 1.75 * rng.next())
  for (let a = 0; a < devices; a++) {
    for (let b = 0; b < devices; b++) {
      const apart = Math.min((a - b + devices) % devices, (b - a + devices) % devices)
      if (a !== b && (degree === devices - 1 || apart <= degree / 2))
        world.setLink(a, b, bytesPerSecond(2.5e6 + 35e6 * rng.next()), seconds(0.002))
    }
    for (let k = 0; k < BLOCKS; k++) world.setCarried(a, 0, k, true)
  }
  return world
}

const measure = (network: Network, name: PolicyName, rounds: number, atMost: number): void => {
  const policy = POLICIES[name]({
    self: 0,
    world: worldOf(network),
    backlog: () => seconds(0),
    linkBacklog: () => seconds(0),
    tasks: () => []
  })
  const times: number[] = []
  for (let datum = -rounds / 10; datum < rounds; datum++) {
    const now = seconds(datum * 0.01)
    const task = taskState({ datum, isBacklogged: true, availableAt: now, arrivedAt: now })
    const start = performance.now()
    policy.admit(task, now)
    if (datum >= 0) times.push(performance.now() - start)
  }
  const typical = median(times)
  const measured = `median ${typical.toFixed(3)} ms, 99 % within ${quantile(times, 0.99).toFixed(3)} ms`
  const what = `${network.devices} devices, ${network.degree} links each, ${name}`
  process.stdout.write(judge(what.padEnd(40), measured, typical, { atMost }))
}

process.stdout.write(`one admission decision, ${BLOCKS} blocks, seed "admission"\n`)
for (const name of POLICY_NAMES) measure({ devices: 20, degree: 19 }, name, 2000, 0.5)
measure({ devices: 1000, degree: 8 }, 'confluence', 1000, 2)
measure({ devices: 1000, degree: 999 }, 'confluence', 500, 2)
