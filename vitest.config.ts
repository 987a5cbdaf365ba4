import { defineConfig } from 'vitest/config'
import { LongestFirst } from './src/testing/longest-first.ts'

// End-to-end tests start real processes, which wait more than they compute: two files beside each other, the longest first.
// Long ones on request, one at a time.
export default defineConfig({
  test: {
    setupFiles: ['src/testing/setup.ts'],
    globalSetup: ['src/testing/scratch-folder.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['src/**/*.test.ts', 'test/*.test.ts'], testTimeout: 60_000, maxWorkers: 2 }
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 60_000,
          maxWorkers: 2
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
