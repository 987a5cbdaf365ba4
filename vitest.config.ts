import { defineConfig } from 'vitest/config'
import { builtModules } from './src/testing/built-modules.ts'
import { LongestFirst } from './src/testing/longest-first.ts'

// Tests that measure transfers within a few percent run with nothing beside them. End-to-end tests start real processes, which wait
// more than they compute: four files beside each other, the longest first. What only computes has the processors while they wait, and
// yields to them: at the same priority it made two processors so busy that clusters came too late. Long ones on request, one at a time.
const TIMED = [
  ...['src/emulation/medium', 'src/emulation/emulated-transfer', 'src/runtime/network/libp2p-network'],
  'test/e2e/network'
].map(name => `${name}.test.ts`)
// `npm test` has built everything just before; whoever runs a file alone may not have.
const isBuilt = process.env['TRIBUTARY_BUILT'] === '1'
const COMPUTED = [
  ...['core', 'model', 'scheduler', 'planner', 'cluster', 'simulator', 'report', 'testing/simulated'].map(
    room => `src/${room}/**/*.test.ts`
  ),
  ...['fair-windows', 'serving-crowd', 'serving-shares'].map(name => `test/${name}.test.ts`)
]
const SEEDS = 'src/testing/simulated/seeds.test.ts'

export default defineConfig({
  plugins: isBuilt ? [builtModules()] : [],
  test: {
    server: { deps: { external: isBuilt ? [/\/dist\/src\//] : [] } },
    setupFiles: ['src/testing/setup.ts'],
    globalSetup: ['src/testing/scratch-folder.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/*.test.ts'],
          exclude: [...TIMED, ...(isBuilt ? COMPUTED : [SEEDS])],
          testTimeout: 60_000,
          isolate: false, // a third of their time went into loading the same modules again
          maxWorkers: 3
        }
      },
      {
        extends: true,
        test: {
          name: 'computed',
          include: COMPUTED,
          exclude: [SEEDS],
          testTimeout: 600_000,
          isolate: false,
          maxWorkers: 2
        }
      },
      { extends: true, test: { name: 'simulated', include: [SEEDS], testTimeout: 900_000 } },
      { extends: true, test: { name: 'timed', include: TIMED, testTimeout: 60_000, fileParallelism: false } },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: TIMED,
          testTimeout: 180_000,
          hookTimeout: 120_000,
          maxWorkers: 4
        }
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 60_000,
          fileParallelism: false
        }
      }
    ]
  }
})
