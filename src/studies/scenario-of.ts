import { parseScenario, type Scenario } from '../core/scenario.ts'
import { UserError } from '../core/user-error.ts'
import { withUnits } from './with-units.ts'

/**
 * A scenario as a program has it: the object that a scenario file would be, where quantities may be numbers besides (seconds,
 * bytes, bits per second, data per second). Model files are relative to where the program runs.
 * @throws UserError `badScenario` that names the field, the value and what it may be; facts: `field` of the first problem, `problems`
 */
export const scenarioOf = (written: unknown): Scenario => {
  let scenario: Scenario
  try {
    scenario = parseScenario(withUnits(written), ORIGIN)
  } catch (error) {
    throw error instanceof UserError ? badScenario(error.message, error) : error
  }
  const uncounted = scenario.sources.findIndex(({ count }) => !Number.isFinite(count))
  if (uncounted === -1) return scenario
  throw badScenario(`${ORIGIN}: sources[${uncounted}].count: say how many files it has: folders are not read here`)
}

const ORIGIN = 'scenario'

const badScenario = (message: string, cause?: unknown): UserError => {
  const problems = message.split('\n').map(line => line.replace(`${ORIGIN}: `, ''))
  const field = /^([^\s:(]+)/.exec(problems[0]!)?.[1] ?? ''
  return new UserError(message, { code: 'badScenario', facts: { field, problems }, cause })
}
