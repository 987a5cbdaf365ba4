// node dist/src/testing/simulated/seeds-command.js [--seed N] [--from N] [--count N] [--faults JSON]
import { parseArgs } from 'node:util'
import { describeBroken, runSeeds } from './run-seeds.ts'
import { range } from './scenario.ts'
import { simulateDevices } from './simulate-devices.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    faults: { type: 'string' },
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '100' },
    enough: { type: 'string', default: '3' }
  }
})
const say = (text: string): void => void process.stdout.write(`${text}\n`)

if (values.seed !== undefined) {
  const options = values.faults === undefined ? {} : { faults: JSON.parse(values.faults) }
  const { scenario, broken, log } = await simulateDevices(Number(values.seed), options)
  say(JSON.stringify(scenario, undefined, 1))
  for (const line of log) say(line)
  say(broken.length === 0 ? 'all laws kept' : `broken: ${broken.join('; ')}`)
  process.exitCode = broken.length === 0 ? 0 : 1
} else {
  const begun = performance.now()
  const seeds = range(Number(values.count)).map(i => Number(values.from) + i)
  const { ran, events, broken } = await runSeeds(seeds, {}, Number(values.enough), one => say(describeBroken(one)))
  const took = (performance.now() - begun) / 1000
  say(`${ran} seeds, ${events} events in ${took.toFixed(1)} s: ${broken.length} break a law`)
  process.exitCode = broken.length === 0 ? 0 : 1
}
