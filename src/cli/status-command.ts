import { hostname } from 'node:os'
import { Command } from 'commander'
import { formatBytes, formatSeconds } from '../core/format-quantity.ts'
import { seconds } from '../core/units.ts'
import type { ClusterStatus } from '../runtime/device/device-status.ts'
import { collect } from './collect.ts'

interface StatusFlags {
  readonly name?: string
  readonly state?: string
  readonly join: string[]
  readonly clusterKey?: string
  readonly timeout: string
  readonly json?: boolean
}

export const command = new Command('status')
  .summary('the live cluster: devices, blocks, queues, rates, sources, losses')
  .description(
    'Ask a running device about its cluster. Any device can answer: the one on this machine, or one at an address.'
  )
  .option('--name <name>', 'the device on this machine (default: the host name)')
  .option('--state <dir>', 'its state folder (default: ~/.tributary/NAME)')
  .option(
    '--join <invite-or-address>',
    'ask the device at this address instead (an address needs --cluster-key)',
    collect,
    []
  )
  .option('--cluster-key <file>', 'the shared key')
  .option('--timeout <seconds>', 'give up after this long', '10')
  .option('--json', 'print one JSON document')
  .addHelpText('after', '\nExample:\n  $ tributary status --state ~/.tributary/porch\n')
  .action(async (flags: StatusFlags) => {
    const { askStatus } = await import('./node/ask-status.ts')
    const status = await askStatus({
      name: flags.name ?? hostname(),
      state: flags.state,
      join: flags.join,
      clusterKey: flags.clusterKey,
      timeout: seconds(Number(flags.timeout) || 10)
    })
    process.stdout.write(flags.json === true ? `${JSON.stringify(status)}\n` : `${describe(status)}\n`)
  })

const describe = (status: ClusterStatus): string => {
  const { devices, sources, placement, losses } = status
  const emulated = devices.some(device => device.emulated) ? ' (emulated speeds or links)' : ''
  const lines = [
    `${devices.length} devices${emulated}, placement ${placement.epoch}${placement.ready ? '' : ' (not ready)'} by ${status.planner ?? 'nobody'}`
  ]
  for (const device of devices) {
    const carried = Object.entries(device.models).map(
      ([model, { blocks, residentBytes }]) => `${model} ${ranges(blocks)} (${formatBytes(residentBytes)})`
    )
    const memory = device.memory === null ? '' : ` of ${formatBytes(device.memory)}`
    lines.push(
      `  ${device.name.padEnd(12)} speed ${device.speed.toFixed(2)}  busy ${(100 * device.busy).toFixed(0)} %  ` +
        `queue ${device.queue.lane}+${device.queue.links}  ${device.rate.toFixed(1)} blocks/s  sent ${formatBytes(device.bytesSent)}  ` +
        `carries ${carried.join(', ') || 'nothing'}${memory}`
    )
    for (const { model, block, tasks, because } of device.waiting) {
      lines.push(`    ${tasks} data wait for block ${block} of ${model}: ${because}`)
    }
  }
  for (const { device, model, seconds, because } of status.setAside) {
    const until = seconds === null ? 'until it is started anew' : `for ${Math.ceil(seconds)} s more`
    lines.push(`  ${device} is set aside for ${model}, ${until}: ${because}`)
  }
  for (const s of sources) {
    lines.push(
      `  source ${s.name} on ${s.device}: ${s.completed} of ${s.available} done, ${s.inFlight} in flight, ${s.skipped} skipped, ${s.failed} failed, ` +
        `${s.rate.toFixed(1)} results/s, inference time ${formatSeconds(s.inferenceTime.mean ?? 0)} mean, ${formatSeconds(s.inferenceTime.p95 ?? 0)} p95`
    )
  }
  lines.push(
    `  lost ${losses.lost}, duplicates ${losses.duplicates}, sent again ${losses.resent}, devices lost ${losses.devicesLost}`
  )
  return lines.join('\n')
}

/** [0,1,2,5] -> "0-2,5" */
const ranges = (blocks: readonly number[]): string => {
  const runs: [number, number][] = []
  for (const block of blocks) {
    const last = runs.at(-1)
    if (last !== undefined && block === last[1] + 1) last[1] = block
    else runs.push([block, block])
  }
  return runs.map(([a, b]) => (a === b ? `${a}` : `${a}-${b}`)).join(',')
}
