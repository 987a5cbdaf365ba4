import { readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Footing, LinkChange } from '../../src/cli/emulate/footing.ts'
import type { Scenario } from '../../src/core/scenario.ts'
import { CpuQuota } from './cpu-quota.ts'
import { runBatch, runCommand } from './run-command.ts'

/** Names of what a testbed leaves when it is killed begin so, then comes the number of its process. */
const PREFIX = 'tributary-'
const RATE_FLOOR = 1000
/** tbf: what may leave at once, in seconds of the rate, but a full Ethernet frame with segmentation offload at least. */
const BURST = { time: 0.002, least: 16_000 }
/** What waits longer in a full queue is dropped. */
const QUEUE = '20ms'

/** What a device's share of the processor is for: its blocks only, or all that its process does. */
export type QuotaHolds = 'blocks' | 'device'

/**
 * A harder footing, on Linux, as root: each device is a process in a network namespace of its own, with a share of the
 * processor by cgroup quota. Links are virtual Ethernet over a bridge, their rates held by the kernel's token buckets.
 *
 *   device a ── to b [tbf] ──┐                      ┌── to a [tbf] ── device b       a link of its own, per direction
 *              control ──────┼── bridge "br" ───────┼── control
 *              up 0 ── bridge "u0" ── air 0 [tbf] ── bridge "d0" ── down 0           a shared medium: one bucket for all
 *
 * The bridges stand in one more namespace, so the machine's own network is not touched. Latency is not emulated.
 */
export class Testbed implements Footing {
  readonly #scenario: Scenario
  readonly #name: string
  readonly #holds: QuotaHolds
  readonly #quotas: CpuQuota[] = []

  private constructor(scenario: Scenario, holds: QuotaHolds, name: string) {
    this.#scenario = scenario
    this.#holds = holds
    this.#name = name
  }

  /** @throws Error with what the machine does not allow */
  static async open(scenario: Scenario, holds: QuotaHolds): Promise<Testbed> {
    if (scenario.devices.length > 100) throw new Error('a testbed takes at most 100 devices')
    await removeLeft()
    const testbed = new Testbed(scenario, holds, `${PREFIX}${process.pid}`)
    try {
      await testbed.#build()
    } catch (error) {
      await testbed[Symbol.asyncDispose]()
      throw error
    }
    return testbed
  }

  launcher(n: number): readonly string[] {
    // Not `ip netns exec`, which hides the control groups.
    const enter = ['nsenter', `--net=/run/netns/${this.#space(n)}`]
    if (this.#holds === 'blocks') return enter
    return ['sh', '-c', 'echo $$ > "$0" && exec "$@"', this.#quotas[n]!.processes, ...enter]
  }

  flags(n: number, ids: readonly string[]): readonly string[] {
    const { devices, links } = this.#scenario
    const group = this.#holds === 'blocks' ? [this.#quotas[n]!.threads!] : []
    const away = ids.filter((_, to) => to !== n && !links.some(l => l.from === n && l.to === to))
    return [
      ...['--listen', `${addressOf(n)}:0`, '--speed', String(devices[n]!.speed), '--speed-is-real', ...group],
      ...away.flatMap(id => ['--emulate-link', `${id}=none`])
    ]
  }

  async slow(n: number, speed: number): Promise<void> {
    await this.#quotas[n]!.set(speed)
  }

  async relink(from: number, to: number, { rate }: LinkChange): Promise<void> {
    const link = this.#scenario.links.find(l => l.from === from && l.to === to)
    if (link === undefined || rate === undefined) return
    const [space, port] = link.medium === undefined ? [this.#space(from), `to${to}`] : [this.#hub, `air${link.medium}`]
    await runCommand('tc', '-n', space, 'qdisc', 'replace', 'dev', port, 'root', ...bucket(rate))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Virtual Ethernet goes with its namespaces.
    for (const space of [...this.#scenario.devices.keys()].map(n => this.#space(n)).concat(this.#hub))
      await runCommand('ip', 'netns', 'delete', space).catch(() => {})
    for (const quota of this.#quotas.splice(0)) await quota.close().catch(() => {})
  }

  get #hub(): string {
    return `${this.#name}-hub`
  }

  #space(n: number): string {
    return `${this.#name}-${n}`
  }

  async #build(): Promise<void> {
    const { devices, links } = this.#scenario
    for (const [n, { speed }] of devices.entries()) {
      this.#quotas.push(await CpuQuota.open(this.#space(n), speed))
    }
    await runBatch(
      'ip',
      [],
      [this.#hub, ...devices.keys()].map(s => `netns add ${typeof s === 'number' ? this.#space(s) : s}`)
    )
    const media = [...new Set(links.flatMap(({ medium }) => (medium === undefined ? [] : [medium])))]
    await this.#quiet(this.#hub)
    await runBatch('ip', ['-n', this.#hub], ['br', ...media.flatMap(m => [`u${m}`, `d${m}`])].flatMap(bridge))
    for (const m of media) await this.#layAir(m)
    for (const n of devices.keys()) await this.#connect(n)
  }

  /** The two bridges of a medium, and the one way between them. */
  async #layAir(m: number): Promise<void> {
    const { rate } = this.#scenario.links.find(({ medium }) => medium === m)!
    await runBatch(
      'ip',
      ['-n', this.#hub],
      [
        `link add name air${m} type veth peer name ria${m}`,
        ...[`link set dev air${m} master u${m} up`, `link set dev ria${m} master d${m} up`]
      ]
    )
    await runCommand('tc', '-n', this.#hub, 'qdisc', 'add', 'dev', `air${m}`, 'root', ...bucket(rate))
  }

  async #connect(n: number): Promise<void> {
    const { links } = this.#scenario
    const [space, own] = [this.#space(n), links.filter(({ from }) => from === n)]
    const media = [...new Set(own.flatMap(({ medium }) => (medium === undefined ? [] : [medium])))]
    const single = own.filter(({ medium }) => medium === undefined)
    /** Its port, the port's name in the hub, and the bridge. */
    const ports: readonly (readonly [string, string, string])[] = [
      ['control', `c${n}`, 'br'],
      ...single.map(({ to }) => [`to${to}`, `p${n}t${to}`, 'br'] as const),
      ...media.flatMap(m => [[`up${m}`, `m${m}u${n}`, `u${m}`] as const, [`down${m}`, `m${m}d${n}`, `d${m}`] as const])
    ]
    await this.#quiet(space)
    await runBatch(
      'ip',
      ['-n', this.#hub],
      ports.flatMap(([port, there, bridgeName]) => [
        `link add name ${there} type veth peer name ${port} netns ${space}`,
        `link set dev ${there} master ${bridgeName} up`
      ])
    )
    await runBatch(
      'ip',
      ['-n', space],
      [
        ...['link set dev lo up', `address add ${addressOf(n)}/32 dev lo`],
        ...ports.map(([port]) => `link set dev ${port} up`),
        ...this.#scenario.devices.flatMap((_, to) => {
          if (to === n) return []
          const link = own.find(l => l.to === to)
          const port = link === undefined ? 'control' : link.medium === undefined ? `to${to}` : `up${link.medium}`
          return [`route add ${addressOf(to)}/32 dev ${port} src ${addressOf(n)}`]
        })
      ]
    )
    for (const { to, rate } of single)
      await runCommand('tc', '-n', space, 'qdisc', 'add', 'dev', `to${to}`, 'root', ...bucket(rate))
  }

  /** Answers may come by another port than the question went; nobody speaks IPv6. */
  async #quiet(space: string): Promise<void> {
    const settings = ['net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0']
    await runCommand('ip', 'netns', 'exec', space, 'sysctl', '-q', '-w', ...settings)
    await runCommand('ip', 'netns', 'exec', space, 'sysctl', '-q', '-w', 'net.ipv6.conf.default.disable_ipv6=1').catch(
      () => {} // a kernel without IPv6
    )
  }
}

const addressOf = (n: number): string => `10.77.0.${10 + n}`

const bridge = (name: string): readonly string[] => [
  `link add name ${name} type bridge stp_state 0 forward_delay 0`,
  `link set dev ${name} up`
]

const bucket = (rate: number): readonly string[] => {
  const burst = Math.ceil(Math.max(BURST.least, rate * BURST.time))
  return ['tbf', 'rate', `${Math.round(8 * Math.max(RATE_FLOOR, rate))}bit`, 'burst', String(burst), 'latency', QUEUE]
}

/** What testbeds that were killed left behind: theirs whose process is no more. */
const removeLeft = async (): Promise<void> => {
  const isLeft = (name: string): boolean => {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]
    return owner !== undefined && !isAlive(Number(owner))
  }
  const root = await CpuQuota.root()
  const spaces = (await runCommand('ip', 'netns', 'list')).split('\n').map(line => line.split(' ')[0]!)
  for (const space of spaces.filter(isLeft)) {
    // A device of a parent that was killed ends by itself; one that does not is in nobody's way any more.
    for (const line of (await runCommand('ip', 'netns', 'pids', space)).split('\n')) if (line !== '') kill(Number(line))
    await runCommand('ip', 'netns', 'delete', space)
  }
  for (const group of (await readdir(root)).filter(isLeft)) await rmdir(join(root, group)).catch(() => {})
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone already
  }
}
