// `npm run bench:attack`: what hostile members, outsiders and clients do, played against real clusters. On standard output stands
// the table, or the JSON document, alone.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { prepare } from './prepare.mjs'

prepare()
const file = fileURLToPath(new URL('../dist/bench/attack.js', import.meta.url))
process.exitCode = spawnSync(process.execPath, [file, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1
