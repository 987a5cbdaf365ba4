import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { judge } from './judge.ts'
import { layeredModel } from './layered-model.ts'
import { CountedDevice } from './processes/counted-device.ts'
import { describeRates, type Rates, ratesBetween } from './processes/traffic-table.ts'

// Clusters of real devices on loopback, with a small model whose blocks are placed: what each writes to its connections, by its
// kind, at rest and while data travel; then devices come, stop, are killed and stand still, and it is seen when all others have
// noticed. Of thirty that goes on for ten minutes. `npm run bench -- processes [sizes] [minutes]`: sizes as numbers,
// `processes 5 30 2m`; a quarter of an hour for all. Thirty need 3 GB.

const WORDS = process.argv.slice(2)
const SIZES = WORDS.flatMap(word => (/^\d+$/.test(word) ? [Number(word)] : []))
/** For the largest. */
const MINUTES = WORDS.flatMap(word => (/^[\d.]+m$/.test(word) ? [Number.parseFloat(word)] : []))[0] ?? 10
const BLOCKS = 4
const WIDTH = 64
/** Seconds until a cluster in which nothing happens knows that. */
const CALM = 15
/** Seconds that are counted. */
const SPAN = 20
/** Data a second, while there is work. */
const RATE = 20
/** Seconds within which all others know. */
const MOST_SILENCE = 4
const MOST_OTHERWISE = 2
/** From the fewest to the most devices what each writes may grow as the logarithm of their number does, times this. */
const SLACK = 1.25

const say = (text: string): void => void process.stdout.write(text)

class Cluster {
  readonly #folder: string
  readonly #devices: CountedDevice[] = []
  #comers = 0
  #invite = ''

  constructor(folder: string) {
    this.#folder = folder
  }

  get devices(): readonly CountedDevice[] {
    return this.#devices
  }

  async begin(size: number): Promise<void> {
    const file = join(this.#folder, 'model.onnx')
    await writeFile(file, layeredModel(BLOCKS, WIDTH))
    const first = this.#start('device0', ['--model', `${file}:m`, '--blocks', `m=${BLOCKS}`])
    this.#invite = /tributary\d:\S+/.exec(await first.line(/tributary\d:\S+/))![0]
    for (let n = 1; n < size; n++) await this.#joined(`device${n}`)
    for (const one of this.#devices)
      for (const other of this.#devices) if (other !== one) await one.line(new RegExp(`: ${other.name} is there`))
  }

  #start(name: string, flags: readonly string[]): CountedDevice {
    const device = new CountedDevice(name, this.#folder, flags)
    this.#devices.push(device)
    return device
  }

  async #joined(name: string, ...flags: readonly string[]): Promise<CountedDevice> {
    const device = this.#start(name, ['--join', this.#invite, ...flags])
    await device.line(/: listening on/)
    return device
  }

  async rates(span = SPAN): Promise<Rates> {
    const devices = [...this.#devices]
    const count = () => Promise.all(devices.map(device => device.counts()))
    const before = await count()
    await wait(span * 1000)
    return ratesBetween(before, await count())
  }

  /** One more device, whose source has data, and the first of them is home. */
  async work(): Promise<CountedDevice> {
    const source = `cam=synthetic:100000,model=m,arrivals=every:${1000 / RATE}ms`
    const results = join(this.#folder, 'results.jsonl')
    const device = await this.#joined('worker', '--source', source, '--sink', results)
    while ((await sizeOf(results)) === 0 && device.isRunning) await wait(100)
    return device
  }

  /** @returns seconds from when it listens until the last of the others says that it is there */
  async comes(): Promise<{ readonly comer: CountedDevice; readonly seconds: number }> {
    const marked = this.#marked()
    const comer = await this.#joined(`comer${this.#comers++}`)
    const since = await comer.saidAt(/: listening on/, 0)
    return { comer, seconds: await untilSaid(marked, new RegExp(`: ${comer.name} is there`), since) }
  }

  /** @returns seconds from the signal until the last of the others says that it has lost it, or that it said goodbye */
  async goes(device: CountedDevice, signal: NodeJS.Signals): Promise<number> {
    this.#devices.splice(this.#devices.indexOf(device), 1)
    const marked = this.#marked()
    const since = Date.now()
    device.child.kill(signal)
    const seconds = await untilSaid(marked, new RegExp(`: (lost ${device.name}: |${device.name} said goodbye)`), since)
    device.child.kill('SIGKILL')
    return seconds
  }

  /** Lines from now on. */
  #marked(): readonly Marked[] {
    return this.#devices.map(device => ({ device, mark: device.mark }))
  }

  end(): void {
    for (const { child } of this.#devices) child.kill('SIGKILL')
  }
}

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0
  )

interface Marked {
  readonly device: CountedDevice
  readonly mark: number
}

const untilSaid = async (marked: readonly Marked[], what: RegExp, since: number): Promise<number> => {
  const times = await Promise.all(marked.map(({ device, mark }) => device.saidAt(what, mark)))
  return (Math.max(...times) - since) / 1000
}

const GOES = [
  ['stands still', 'SIGSTOP', MOST_SILENCE],
  ['is killed', 'SIGKILL', MOST_OTHERWISE],
  ['stops', 'SIGTERM', MOST_SILENCE]
] as const

/** One comes and goes, in each way once. */
const playChanges = async (cluster: Cluster, size: number): Promise<void> => {
  for (const [how, signal, most] of GOES) {
    const { comer, seconds: joined } = await cluster.comes()
    say(
      judge(`${size} devices: one more is known to all after`, `${joined.toFixed(2)} s`, joined, {
        atMost: MOST_OTHERWISE
      })
    )
    await wait(3000)
    const lost = await cluster.goes(comer, signal)
    say(
      judge(`${size} devices: one that ${how} is missed by all after`, `${lost.toFixed(2)} s`, lost, { atMost: most })
    )
  }
}

/** @returns of each device, at rest */
const measure = async (size: number, lasts: number): Promise<Rates> => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-processes-'))
  const cluster = new Cluster(folder)
  try {
    await cluster.begin(size)
    const began = performance.now()
    const isOver = (): boolean => performance.now() - began >= lasts * 1000
    await wait(CALM * 1000)
    const rest = await cluster.rates()
    say(describeRates(`${size} devices at rest`, rest))
    await playChanges(cluster, size)
    const worker = await cluster.work()
    await wait(CALM * 1000)
    say(describeRates(`${size} devices and one with ${RATE} data a second`, await cluster.rates()))
    await cluster.goes(worker, 'SIGTERM')
    while (!isOver()) await playChanges(cluster, size)
    return rest
  } finally {
    cluster.end()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

const sizes = SIZES.length > 0 ? SIZES : [5, 10, 20, 30]
const most = Math.max(...sizes)
const rests: (readonly [number, Rates])[] = []
for (const size of sizes) rests.push([size, await measure(size, size === most ? 60 * MINUTES : 0)])
const [[fewest, least], [largest, last]] = [rests[0]!, rests.at(-1)!]
if (largest > fewest) {
  const grown = last.sent / least.sent
  const may = (SLACK * Math.log(largest)) / Math.log(fewest)
  say(
    judge(`from ${fewest} to ${largest} devices what each writes at rest grows`, `${grown.toFixed(2)} times`, grown, {
      atMost: may
    })
  )
}
