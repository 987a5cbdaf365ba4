// `npm run bench [-- NAME...]`: every bench, or those named, or `short` for all that take less than a minute or two; one
// after another, each prints its own table. Exit 1 when one failed or a budget was missed.
// Words behind a name are its own: `npm run bench -- hop cutting resnet50` runs `hop`, and `cutting` with ResNet-50 only.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { prepare } from './prepare.mjs'

const BENCHES = [
  'admission',
  'hop',
  'engine',
  'pipeline',
  'start',
  'idle',
  'metrics',
  'dashboard',
  'tracing',
  'audit',
  'simulator',
  'planning',
  'crowd',
  'profile',
  'cutting',
  'weights'
]
/** Minutes long. */
const LONG = [
  'batching',
  'lanes',
  'processes',
  'policies',
  'windows',
  'goodput',
  'changing',
  'published',
  'peers',
  'emulation',
  'testbed',
  'adaptation',
  'serving',
  'serving-cluster'
]
const TAKES_WORDS = [
  'crowd',
  'batching',
  'lanes',
  'processes',
  'idle',
  'cutting',
  'policies',
  'windows',
  'goodput',
  'changing',
  'published',
  'peers',
  'emulation',
  'testbed',
  'adaptation',
  'serving',
  'serving-cluster'
]

/** [name, its words] in the order asked for. */
const parse = words => {
  const runs = []
  for (const word of words.filter(word => word !== '--')) {
    if (word === 'short') runs.push(...BENCHES.map(name => [name, []]))
    else if (BENCHES.includes(word) || LONG.includes(word)) runs.push([word, []])
    else if (TAKES_WORDS.includes(runs.at(-1)?.[0])) runs.at(-1)[1].push(word)
    else {
      process.stderr.write(
        `no bench ${word}; there are ${[...BENCHES, ...LONG].join(', ')}, and short for the first ${BENCHES.length} of them\n`
      )
      process.exit(2)
    }
  }
  return runs.length > 0 ? runs : [...BENCHES, ...LONG].map(name => [name, []])
}

const machine = () => {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json')
  const gibibytes = (totalmem() / 2 ** 30).toFixed(0)
  const processor = cpus()[0]?.model ?? 'unknown processor'
  return `${processor}, ${cpus().length} cores, ${gibibytes} GiB, Node ${process.versions.node}, onnxruntime-node ${version}`
}

const runs = parse(process.argv.slice(2))
prepare()
process.stdout.write(`${machine()}\n`)
if (runs.length > BENCHES.length)
  process.stdout.write('all benches, an hour on two cores; leave the machine alone meanwhile\n')
const failed = runs.filter(([name, words]) => {
  process.stdout.write(`\n== ${name}\n`)
  const file = fileURLToPath(new URL(`../dist/bench/${name}.js`, import.meta.url))
  return spawnSync(process.execPath, [file, ...words], { stdio: 'inherit' }).status !== 0
})
if (failed.length > 0) {
  process.stderr.write(`\nfailed, or missed a budget: ${failed.map(([name]) => name).join(', ')}\n`)
  process.exitCode = 1
}
