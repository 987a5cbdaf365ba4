import { defineConfig } from 'vitest/config'

// Fast tests run side by side; end-to-end tests start real processes, so one file at a time; long ones on request.
// Those that measure no time run beside the short bad day, which takes two minutes of waiting.
const BESIDE = ['endurance', 'model-commands', 'scenario-commands', 'zoo-command'].map(
  name => `test/e2e/${name}.test.ts`
)

export default defineConfig({
  test: {
    setupFiles: ['src/testing/setup.ts'],
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
          exclude: BESIDE,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          fileParallelism: false
        }
      },
      {
        extends: true,
        test: { name: 'commands', include: BESIDE, testTimeout: 180_000, hookTimeout: 60_000, maxWorkers: 2 }
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
