import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClusterStatus } from '../../src/runtime/device/device-status.ts'
import { startNode } from '../../src/testing/node-process.ts'
import type { Result, System, SystemJob } from './system-job.ts'

const MODEL = 'net'

/** A line of the sink, with a synthetic source's result. */
interface SinkLine {
  readonly item: string
  readonly inferenceTime: number
  readonly result: Readonly<Record<string, { readonly digest: string }>>
}

/** `tributary node` for each device, as a user runs it, with declared instead of measured times of blocks. */
export const startTributary = async (job: SystemJob): Promise<System> => {
  const { devices, sources, folder } = job
  const together = String(devices.length)
  const start = (n: number, invite?: string) => {
    const own = ['--state', join(folder, devices[n]!.name), '--controlled', '--start-when', together]
    const joined = invite === undefined ? [] : ['--join', invite]
    return startNode(devices[n]!.name, [...own, ...joined, ...deviceFlags(job, n)])
  }
  const first = start(0)
  const { invite } = await first.event('listening')
  const nodes = [first, ...devices.slice(1).map((_, n) => start(n + 1, String(invite)))]
  const feeding = sources.map(({ device }) => nodes[device]!)
  const [ready] = await Promise.all(feeding.map(node => node.event('ready')))
  const placed = (ready!['status'] as ClusterStatus).placement.models[MODEL]!
  return {
    placement: devices.map(({ name }) => placed[name] ?? []),
    pids: nodes.map(({ child }) => child.pid!),
    begin: () => {
      for (const { child } of nodes) {
        child.stdin!.write(`${JSON.stringify({ start: 0 })}\n`)
        // The peer has this placement and keeps it: so that both have the same.
        child.stdin!.write(`${JSON.stringify({ adapt: false })}\n`)
      }
    },
    results: () => Promise.all(sources.map(({ name }) => readSink(sinkOf(job, name)))),
    stop: async () => {
      for (const { child } of nodes) child.kill('SIGKILL')
      await Promise.all(nodes.map(({ ended }) => ended))
    }
  }
}

const deviceFlags = (job: SystemJob, n: number): string[] => {
  const { devices, sources, manifest, model, count, window, arrivals, seed } = job
  const { speed, memory } = devices[n]!
  const fed = sources.filter(({ device }) => device === n)
  const works = manifest.blocks.map(({ work }) => `${work}s`).join(',')
  return [
    ...['--speed', String(speed), '--memory', `${memory}B`, '--seed', seed, '--policy', 'confluence'],
    // The first source's device owns the model.
    ...(sources[0]?.device === n
      ? [
          '--model',
          `${model}:${MODEL}`,
          '--blocks',
          `${MODEL}=${manifest.blocks.length}`,
          '--work',
          `${MODEL}=${works}`
        ]
      : []),
    ...fed.flatMap(({ name }) => [
      ...['--source', `${name}=synthetic:${count},model=${MODEL},window=${window},arrivals=${arrivals}`],
      ...['--sink', sinkOf(job, name)]
    ])
  ]
}

const sinkOf = ({ folder }: SystemJob, source: string): string => join(folder, `${source}.jsonl`)

const readSink = async (file: string): Promise<readonly Result[]> => {
  const text = await readFile(file, 'utf8').catch(() => '')
  const lines = text.split('\n').slice(0, -1)
  return lines.map(line => {
    const { item, inferenceTime, result } = JSON.parse(line) as SinkLine
    return { item, inferenceTime, digest: Object.values(result)[0]!.digest }
  })
}
