// Writes what a vitest run came to as one JSON file, named by TRIBUTARY_TEST_SUMMARY: counts, failures, and the
// skipped tests with the reason they give (`context.skip(reason)`), which vitest's own JSON leaves out.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export default class TestReporter {
  onTestRunEnd(modules, unhandledErrors, reason) {
    const summary = { passed: 0, failed: [], skipped: [], errors: [], interrupted: reason === 'interrupted' }
    const say = error => String(error?.message ?? error).split('\n')[0]
    for (const module of modules) {
      // A file or suite that breaks outside of its tests has no failed test to show for it.
      const broken = [module, ...module.children.allSuites()].flatMap(part => part.errors())
      for (const error of broken) summary.failed.push({ name: module.relativeModuleId, why: say(error) })
      for (const test of module.children.allTests()) {
        const name = `${module.relativeModuleId}: ${test.fullName}`
        const result = test.result()
        if (result.state === 'passed') summary.passed++
        else if (result.state === 'failed') summary.failed.push({ name, why: say(result.errors[0]) })
        else summary.skipped.push({ name, why: result.note ?? 'no reason given' })
      }
    }
    for (const error of unhandledErrors) summary.errors.push(say(error))
    const file = process.env.TRIBUTARY_TEST_SUMMARY
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify(summary))
  }
}
