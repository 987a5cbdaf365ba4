import { defineConfig } from 'vitest/config'

// Two projects: fast tests run side by side; end-to-end tests start real processes, so one file at a time.
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
          testTimeout: 180_000,
          hookTimeout: 60_000,
          fileParallelism: false
        }
      }
    ]
  }
})
