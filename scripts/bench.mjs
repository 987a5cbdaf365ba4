// `npm run bench [-- NAME…]`: every bench, or those named, one after another; each prints its own table.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { prepare } from './prepare.mjs'

prepare()
const BENCHES = ['admission', 'hop', 'engine', 'pipeline', 'idle', 'cutting']
const asked = process.argv.slice(2).filter(word => !word.startsWith('-'))
const unknown = asked.filter(name => !BENCHES.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`no bench ${unknown.join(', ')}; there are ${BENCHES.join(', ')}\n`)
  process.exit(2)
}
const gibibytes = (totalmem() / 2 ** 30).toFixed(0)
process.stdout.write(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${gibibytes} GiB, Node ${process.versions.node}\n`
)
let failed = 0
for (const name of asked.length > 0 ? asked : BENCHES) {
  const file = fileURLToPath(new URL(`../dist/bench/${name}.js`, import.meta.url))
  if (!existsSync(file)) continue
  process.stdout.write(`\n== ${name}\n`)
  const { status } = spawnSync(process.execPath, [file], { stdio: 'inherit' })
  if (status !== 0) failed++
}
process.exitCode = failed === 0 ? 0 : 1
