import { CpuQuota } from './cpu-quota.ts'
import { runCommand } from './run-command.ts'

/** What keeps the testbed from running here, in words; undefined where it can run. Everything is tried, and undone. */
export const missingForTestbed = async (): Promise<string | undefined> => {
  if (process.platform !== 'linux') return 'it needs Linux: network namespaces and control groups'
  if (process.getuid?.() !== 0) return 'it needs root, for network namespaces and control groups'
  const space = `tributary-${process.pid}-try`
  try {
    await runCommand('ip', 'netns', 'add', space)
    try {
      await runCommand('ip', '-n', space, 'link', 'add', 'name', 'bridge0', 'type', 'bridge')
      await runCommand('ip', '-n', space, 'link', 'add', 'name', 'one0', 'type', 'veth', 'peer', 'name', 'two0')
      await runCommand('nsenter', `--net=/run/netns/${space}`, 'true')
      const bucket = ['tbf', 'rate', '10mbit', 'burst', '16000', 'latency', '20ms']
      await runCommand('tc', '-n', space, 'qdisc', 'add', 'dev', 'one0', 'root', ...bucket)
    } finally {
      await runCommand('ip', 'netns', 'delete', space)
    }
    const quota = await CpuQuota.open(space, 0.5)
    await quota.close()
    return undefined
  } catch (error) {
    const { message } = error as Error
    return message.includes('ENOENT') && message.includes('spawn')
      ? `${message} (ip and tc are in the package iproute2, nsenter in util-linux)`
      : message
  }
}
