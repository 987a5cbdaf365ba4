import type { BlockRun, Engine } from '../runtime/ports/engine.ts'

/**
 * An engine that says of each run what `spoil` makes of it. It has no other way to run a block: neither a visit nor several data at
 * once would be spoilt.
 */
export const spoiltEngine = (engine: Engine, spoil: (run: BlockRun) => BlockRun): Engine => ({
  load: (...of) => engine.load(...of),
  unload: hash => engine.unload(hash),
  run: async (...of) => spoil(await engine.run(...of)),
  measure: (...of) => engine.measure(...of),
  calibrate: () => engine.calibrate(),
  stop: () => engine.stop(),
  [Symbol.asyncDispose]: () => engine.stop()
})
