/**
 * Where a policy that cannot part models has a use for them: on the devices of their own sources alone, or wherever they
 * fit. In pipelines: it parts them, and each source's data all go through the same run of devices. False: it can part them
 * in any way.
 */
export type WholeModels = false | 'at sources' | 'everywhere' | 'in pipelines'
