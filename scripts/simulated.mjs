// `npm run test:simulated -- --seed N`: one seed again, with its log. `-- --from N --count N`: many, those that break a law
// with the fewest faults that it takes.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { prepare } from './prepare.mjs'

prepare()
const file = fileURLToPath(new URL('../dist/src/testing/simulated/seeds-command.js', import.meta.url))
process.exitCode = spawnSync(process.execPath, [file, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1
