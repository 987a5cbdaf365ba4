import { access, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Microseconds. Short: a device that has used up its share must not stand still for longer than a block takes. */
const PERIOD = 20_000
/** The kernel takes no quota below. */
const LEAST_QUOTA = 1000

const FIRST = '/sys/fs/cgroup/cpu'
const SECOND = '/sys/fs/cgroup'

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false
  )

/** One control group with a share of one core; all that a process of it does counts, its network too. */
export class CpuQuota {
  readonly #folder: string
  readonly #isFirst: boolean

  private constructor(folder: string, isFirst: boolean) {
    this.#folder = folder
    this.#isFirst = isFirst
  }

  /** @throws Error where the kernel or its settings do not allow it */
  static async open(name: string, share: number): Promise<CpuQuota> {
    const isFirst = await exists(join(FIRST, 'cpu.cfs_quota_us'))
    if (!isFirst) {
      const controllers = await readFile(join(SECOND, 'cgroup.controllers'), 'utf8').catch(() => '')
      if (!controllers.split(/\s/).includes('cpu'))
        throw new Error(`neither ${FIRST} nor the cpu controller of ${SECOND} is there`)
      await writeFile(join(SECOND, 'cgroup.subtree_control'), '+cpu')
    }
    const folder = join(isFirst ? FIRST : SECOND, name)
    await mkdir(folder)
    const quota = new CpuQuota(folder, isFirst)
    await quota.set(share)
    return quota
  }

  /** @param share of one core, 0 to 1 */
  async set(share: number): Promise<void> {
    const period = Math.ceil(Math.max(PERIOD, LEAST_QUOTA / share))
    const quota = Math.round(share * period)
    if (this.#isFirst) {
      // A quota above the period of the parent is refused in between, so the smaller value goes first.
      await writeFile(join(this.#folder, 'cpu.cfs_quota_us'), '-1')
      await writeFile(join(this.#folder, 'cpu.cfs_period_us'), String(period))
      await writeFile(join(this.#folder, 'cpu.cfs_quota_us'), String(quota))
    } else await writeFile(join(this.#folder, 'cpu.max'), `${quota} ${period}`)
  }

  /** Whose number is written here belongs to the group. */
  get processes(): string {
    return join(this.#folder, 'cgroup.procs')
  }

  /** The same for single threads. Undefined where the kernel keeps threads of a process together. */
  get threads(): string | undefined {
    return this.#isFirst ? join(this.#folder, 'tasks') : undefined
  }

  /** After its last process has ended. */
  async close(): Promise<void> {
    await rmdir(this.#folder)
  }

  /** Whether a group can hold single threads of a process. */
  static async canHoldThreads(): Promise<boolean> {
    return exists(join(FIRST, 'cpu.cfs_quota_us'))
  }

  /** Where groups are, to look for those that were left. */
  static async root(): Promise<string> {
    return (await exists(join(FIRST, 'cpu.cfs_quota_us'))) ? FIRST : SECOND
  }
}
