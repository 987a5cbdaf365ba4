// node dist/src/testing/simulated/seeds-command.js [--seed N [--faults JSON]] [--from N] [--count N] [--step N] [--first]
import { parseArgs } from 'node:util'
import { loadPlannedPlace } from './planned-place.ts'
import { describeBroken, runSeeds } from './run-seeds.ts'
import { range } from './scenario.ts'
import { simulateDevices } from './simulate-devices.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    faults: { type: 'string' },
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '100' },
    step: { type: 'string', default: '1' },
    first: { type: 'boolean', default: false },
    enough: { type: 'string', default: '3' }
  }
})
const say = (text: string): void => void process.stdout.write(`${text}\n`)

const planned = await loadPlannedPlace()

if (values.seed !== undefined) {
  const faults = values.faults === undefined ? {} : { faults: JSON.parse(values.faults) }
  const options = { planned, ...faults }
  const { scenario, broken, log } = await simulateDevices(Number(values.seed), options)
  say(JSON.stringify(scenario, undefined, 1))
  for (const line of log) say(line)
  say(broken.length === 0 ? 'all laws kept' : `broken: ${broken.join('; ')}`)
  process.exitCode = broken.length === 0 ? 0 : 1
} else if (values.first) {
  // For mutations: how many seeds it takes, and which law they find broken.
  let found = 'not noticed | '
  for (let i = 0; i < Number(values.count) && found.startsWith('not'); i++) {
    const { broken } = await simulateDevices(Number(values.from) + i, { planned })
    if (broken.length > 0) found = `${Number(values.from) + i} | ${broken[0]!.split('\n')[0]!.slice(0, 120)}`
  }
  say(found)
} else {
  const begun = performance.now()
  const seeds = range(Number(values.count)).map(i => Number(values.from) + i * Number(values.step))
  const { ran, events, longest, broken } = await runSeeds(seeds, { planned }, Number(values.enough), one =>
    say(describeBroken(one))
  )
  const took = (performance.now() - begun) / 1000
  say(
    `${ran} seeds, ${events} events in ${took.toFixed(1)} s, done at most ${longest.toFixed(0)} s after the last fault`
  )
  say(`${broken.length} break a law`)
  process.exitCode = broken.length === 0 ? 0 : 1
}
