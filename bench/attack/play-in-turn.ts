import { seconds } from '../../src/core/units.ts'
import { systemClock } from '../../src/runtime/system-clock.ts'
import type { HostileMember } from '../../src/testing/hostile-member.ts'
import { type Attack, openStage, type Stage } from './attack.ts'
import type { HonestCluster } from './honest-cluster.ts'
import { beginAttack, endAttack, endedIn, isIn, MOST } from './play-attack.ts'
import { watchMemory } from './watch-memory.ts'

/** What came of attacks that were played a few at a time. */
export interface InTurn {
  /** So often each was tried, by name. */
  readonly tried: ReadonlyMap<string, number>
  /** What is not as it should be; none: it holds. */
  readonly faults: readonly string[]
}

/** Seconds of each, where only little time is. */
export const QUICK_DURATION = 0.2

/** So many at a time. */
const AT_ONCE = 6

/** Results come again after them, on however busy a machine. */
const LATEST_RESULT = 60
const SOME = 5

/**
 * A few at a time, by the same few members.
 * @param duration of each, seconds, from when it has tried something
 * @param tell of each that begins
 */
export const playInTurn = async (
  attacks: readonly Attack[],
  cluster: HonestCluster,
  duration: number,
  tell: (name: string) => void = () => {}
): Promise<InTurn> => {
  const start = await cluster.cost()
  const grownBy = await watchMemory(cluster)
  const crew = openStage(cluster)
  const members = new Map<string, Promise<HostileMember>>()
  const lent: Stage['member'] = (options = {}) => {
    const { role = 'device' } = options
    const member = members.get(role) ?? crew.stage.member(options)
    members.set(role, member)
    return member
  }
  const tried = new Map<string, number>()
  const faults: string[] = []
  const playOne = async (attack: Attack): Promise<void> => {
    tell(attack.name)
    const scene = openStage(cluster, lent)
    const playing = beginAttack(attack, scene)
    await isIn(scene, playing)
    await systemClock.sleep(seconds(duration))
    faults.push(...(await endAttack(attack, scene, playing)).map(fault => `${attack.name}: ${fault}`))
    tried.set(attack.name, scene.times())
  }
  for (let at = 0; at < attacks.length; at += AT_ONCE)
    await Promise.all(attacks.slice(at, at + AT_ONCE).map(attack => playOne(attack)))
  const { log, files } = await cluster.cost()
  crew.end()
  await crew.leave()
  const results = await furtherResults(cluster)
  const grown = { memory: grownBy(), log: log - start.log, files: files - start.files }
  return {
    tried,
    faults: [
      ...[...faults, ...endedIn(cluster)],
      ...(results.more < SOME ? [`${results.more} results in ${LATEST_RESULT} s after them`] : []),
      ...(results.wrong > 0 ? [`${results.wrong} results are wrong`] : []),
      ...(grown.memory > MOST.megabytes ? [`a device grew by ${grown.memory.toFixed(0)} MB`] : []),
      ...(grown.log > MOST.log ? [`${(grown.log / 1e6).toFixed(1)} MB of log`] : []),
      ...(grown.files > MOST.files ? [`${(grown.files / 1e6).toFixed(0)} MB of files`] : [])
    ]
  }
}

const furtherResults = async (cluster: HonestCluster) => {
  const { all } = await cluster.results()
  const since = systemClock.now()
  for (;;) {
    const results = await cluster.results()
    const more = results.all - all
    if (more >= SOME || systemClock.now() - since > LATEST_RESULT) return { more, wrong: results.wrong }
    await systemClock.sleep(seconds(0.1))
  }
}
