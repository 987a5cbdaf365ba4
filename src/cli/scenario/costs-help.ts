/** Of the flag of `plan`, `simulate` and `emulate`. */
export const COSTS_HELP =
  'what the models cost, as profile --out saved it, instead of measuring now: the same answer twice; repeatable'
