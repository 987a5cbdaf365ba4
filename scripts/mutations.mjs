// `node scripts/mutations.mjs [--count N] [NAME...]`: break a rule of the running device on purpose, in a copy of the build, and
// count the simulated seeds until a law is found to be broken. For docs/simulation.md.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { prepare } from './prepare.mjs'

const SOURCE = 'runtime/device/source-runner.js'
const LEDGER = 'cluster/ledger.js'
const ROLLOUT = 'cluster/rollout.js'
const HANDLERS = 'runtime/device/handlers.js'
const DEVICE = 'runtime/device/device.js'
const DISPATCHER = 'scheduler/dispatch/dispatcher.js'
const BLOCKS = 'runtime/cluster/local-blocks.js'

const REPORTED = [
  LEDGER,
  'this.#giveBack(dispatch.datum, entry);\n        return true;\n    }\n    /** It failed',
  'return false;\n    }\n    /** It failed'
]
const HAD = [SOURCE, 'of this.#book.ledger.deviceLost(device)', 'of []']
const SILENCE = ['cluster/resend-timer.js', 'const late = [];', 'const late = []; return late;']

const ANY_BLOCK =
  'const held = this.#held.get(manifest.id)?.get(k) ?? { loaded: { inputs: manifest.activations[k].tensors }, time: 0 };'

const SHARED = 'runtime/cluster/shared-engine.js'

/** What is broken: file of the build, what is there, what is put in its place; once or several times. */
const MUTATIONS = [
  ['what a lost device had is not sent again', SOURCE, 'of this.#book.ledger.deviceLost(device)', 'of []'],
  [
    'what was handed to a lost device is not reported',
    'runtime/device/task-traffic.js',
    'of this.#handovers.takeAll(peer)',
    'of []'
  ],
  ['a block is unloaded that another model has too', SHARED, 'this.#release(hash) === 0', 'this.#release(hash) >= 0'],
  ['a loss that is reported is not believed', ...REPORTED],
  ['neither a loss nor silence is a reason to send again', ...HAD, ...REPORTED, ...SILENCE],
  [
    'custody is not noted',
    HANDLERS,
    'source(body.value.source)?.custody(refOf(body.value), from, body.value.done);',
    ''
  ],
  [
    'silence is never a reason to send again',
    'cluster/resend-timer.js',
    'const late = [];',
    'const late = []; return late;'
  ],
  [
    'a second result is taken for the first',
    LEDGER,
    "this.#duplicates++;\n            return 'duplicate';",
    "return 'first';"
  ],
  [
    'a result of the model before is taken',
    SOURCE,
    'served === undefined || task.modelId !== served.manifest.id',
    'served === undefined'
  ],
  [
    'a window is not obeyed',
    LEDGER,
    'const withoutResult = this.#outstanding - this.#toWrite;',
    'const withoutResult = 0;'
  ],
  ['an old message counts for a new dispatch', LEDGER, '&& entry.attempt === attempt ?', '?'],
  [
    'a result is done with before it is in the sink',
    SOURCE,
    'await sink.write({ ...named, result, inferenceTime,',
    'void sink.write({ ...named, result, inferenceTime,'
  ],
  ['a source is done before its bad item is in the sink', SOURCE, ' || this.#unsafe > 0', ''],
  ['memory is not made room in', ROLLOUT, 'return this.#room() < next.bytes ?', 'return false ?'],
  ['blocks are dropped before the others are ready', ROLLOUT, '&& this.#allReady(wanted) ?', '?'],
  ['a block in use is dropped', ROLLOUT, '!this.#ports.inUse(candidate)', 'true'],
  ['a block is offered after it is dropped', ROLLOUT, 'this.#offerNoLonger(block);', ''],
  [
    'a block that is not carried is run',
    ...[DISPATCHER, 'world.mayRun(self, task.model, task.done, task.home)', 'true'],
    ...[BLOCKS, 'const held = this.#held.get(manifest.id)?.get(k);', ANY_BLOCK]
  ],
  ['a refused task is forgotten', DISPATCHER, 'task.refusals++;', 'task.refusals++; return;'],
  ['what waits is not looked at again', DISPATCHER, 'if (this.#mayGoOn(one))', 'if (false)'],
  [
    'a policy chooses anew what its source has chosen',
    DISPATCHER,
    'if (task.keepsRoute === true)\n            return true;',
    ''
  ],
  [
    'a lost clearance is not asked for again',
    'scheduler/dispatch/link-queue.js',
    'const ASK_AGAIN = seconds(2)',
    'const ASK_AGAIN = seconds(1e9)'
  ],
  [
    'a clearance lasts for ever',
    'scheduler/dispatch/clearance.js',
    'const LONGEST = seconds(10)',
    'const LONGEST = seconds(1e9)'
  ],
  [
    'another process is taken for the one before',
    'runtime/cluster/cluster-view.js',
    'former !== undefined && former !== life',
    'false'
  ],
  [
    'any placement is newer',
    'cluster/numbered-placement.js',
    'export const isNewer = (a, b) =>',
    'export const isNewer = (a, b) => true ||'
  ],
  ['everybody plans', 'cluster/leader.js', 'return staying().find(', 'return true || staying().find('],
  [
    'nobody who comes is told the placement',
    HANDLERS,
    "network.notify(event.peer, notice('placement'",
    "void (event.peer, notice('placement'"
  ],
  [
    'one failure is proof against a datum',
    'runtime/device/is-proven.js',
    'const isEnough =',
    'return true; const isEnough ='
  ],
  ['nobody is ever set aside', 'runtime/device/circuit-breaker.js', 'const THRESHOLD = 3', 'const THRESHOLD = 1e9'],
  [
    'what lives on beside a block is lost',
    BLOCKS,
    'if (survivors.has(tensor.name))\n                survivors.set(tensor.name, tensor);',
    ''
  ],
  ['manifests are not asked for', DEVICE, '() => this.#finder.tick()', '() => {}'],
  ['the only device with a block is never believed', 'runtime/device/is-proven.js', '|| failsAtThisOnly(device)', ''],
  ['results of a stopping device are refused', HANDLERS, 'parts.draining() && !complete', 'parts.draining()']
]

const { values, positionals } = parseArgs({
  options: {
    count: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    // Of several processes at once, which: 1/2, 2/2.
    part: { type: 'string', default: '1/1' },
    unprepared: { type: 'boolean', default: false }
  },
  allowPositionals: true
})
if (!values.unprepared) prepare()
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const copy = join(root, 'build', `mutant-${process.pid}`)
rmSync(copy, { recursive: true, force: true })
mkdirSync(copy, { recursive: true })
cpSync(join(root, 'dist', 'src'), join(copy, 'src'), { recursive: true })
writeFileSync(join(copy, 'package.json'), '{"type":"module"}')

const run = () => {
  const command = join(copy, 'src', 'testing', 'simulated', 'seeds-command.js')
  const args = [command, '--first', '--from', values.from, '--count', values.count]
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 600_000 }).stdout.trim().split('\n').at(-1)
}

process.stdout.write('| what is broken | noticed by | law |\n| --- | --- | --- |\n')
const [part, parts] = values.part.split('/').map(Number)
for (const [i, [name, ...edits]] of MUTATIONS.entries()) {
  if (i % parts !== part - 1) continue
  if (positionals.length > 0 && !positionals.some(word => name.includes(word))) continue
  const before = new Map()
  let missing = ''
  for (let e = 0; e < edits.length; e += 3) {
    const [file, there, instead] = edits.slice(e, e + 3)
    const path = join(copy, 'src', file)
    const text = readFileSync(path, 'utf8')
    if (!before.has(path)) before.set(path, text)
    if (text.split(there).length !== 2) missing = `${file} no longer has it once: ${JSON.stringify(there)}`
    const mutated = text.replace(there, () => instead)
    writeFileSync(path, mutated)
  }
  process.stdout.write(`| ${name} | ${missing === '' ? run() : `? | ${missing}`} |\n`)
  for (const [path, text] of before) writeFileSync(path, text)
}
rmSync(copy, { recursive: true, force: true })
