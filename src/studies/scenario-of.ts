import { parseScenario, type Scenario } from '../core/scenario.ts'
import { UserError } from '../core/user-error.ts'

/**
 * A scenario as a program has it: the object that a scenario file would be. Model files are relative to where the program runs.
 * @throws UserError `badScenario` that names the field, the value and what it may be
 */
export const scenarioOf = (written: unknown): Scenario => {
  let scenario: Scenario
  try {
    scenario = parseScenario(written, 'scenario')
  } catch (error) {
    throw error instanceof UserError ? new UserError(error.message, { code: 'badScenario', cause: error }) : error
  }
  const uncounted = scenario.sources.findIndex(({ count }) => !Number.isFinite(count))
  if (uncounted === -1) return scenario
  throw new UserError(`scenario: sources[${uncounted}].count: say how many files it has: folders are not read here`, {
    code: 'badScenario'
  })
}
