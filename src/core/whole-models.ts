/**
 * Where a policy that cannot part models has a use for them: on the devices of their own sources alone, or wherever they
 * fit. False: it can part them.
 */
export type WholeModels = false | 'at sources' | 'everywhere'
