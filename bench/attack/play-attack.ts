import { seconds } from '../../src/core/units.ts'
import { systemClock } from '../../src/runtime/system-clock.ts'
import { type Attack, type OpenStage, openStage } from './attack.ts'
import { busyShare } from './busy-share.ts'
import { type HonestCluster, RATE } from './honest-cluster.ts'
import { watchMemory } from './watch-memory.ts'

/** Seconds in which results are counted. */
export const WINDOW = 5

/** What came of an attack. */
export interface AttackRow {
  readonly name: string
  readonly what: string
  readonly once: string
  /** So often it was tried, and of what. */
  readonly tried: string
  /** Results in five seconds: before, in each of the attack, and after. */
  readonly before: number
  readonly during: readonly number[]
  readonly after: number
  readonly wrong: number
  /** Of the machine's processor time, by whomever: 0 to 1. */
  readonly busy: { readonly before: number; readonly during: number }
  /** By how much the largest honest process, with those that it starts, grew at most, megabytes; bytes of all their logs, and of their files. */
  readonly memory: number
  readonly log: number
  readonly files: number
  readonly notes: readonly string[]
  /** What is not as it should be; none: it holds. */
  readonly faults: readonly string[]
}

/** An attacker that is not in after so many seconds does not attack. */
const LATEST_ATTACK = 60
/** What an attack may cost. */
export const MOST = { megabytes: 400, log: 1e6, files: 64e6 }
/** Of the results before: that many while it lasts, on average, and after it. */
const LEAST = { during: 0.5, after: 0.8 }
/** Of whatever machine. */
const SOME = 1

const countFor = async (cluster: HonestCluster, time: number): Promise<number> => {
  const { all } = await cluster.results()
  await systemClock.sleep(seconds(time))
  return (await cluster.results()).all - all
}

/** @param duration of the attack, seconds */
export const playAttack = async (attack: Attack, cluster: HonestCluster, duration: number): Promise<AttackRow> => {
  const busyBefore = busyShare()
  const before = await countFor(cluster, WINDOW)
  const shareBefore = busyBefore()
  const start = await cluster.cost()
  const grown = await watchMemory(cluster)
  const scene = openStage(cluster)
  const playing = beginAttack(attack, scene)
  await isIn(scene, playing)
  const busyDuring = busyShare()
  const during: number[] = []
  for (let time = 0; time < duration; time += WINDOW) during.push(await countFor(cluster, WINDOW))
  const busy = { before: shareBefore, during: busyDuring() }
  const faults = await endAttack(attack, scene, playing)
  await countFor(cluster, WINDOW) // it recovers
  const after = await countFor(cluster, WINDOW)
  const { log, files } = await cluster.cost()
  const row = {
    ...{ name: attack.name, what: attack.what, once: attack.once, tried: `${scene.times()} ${attack.unit}` },
    ...{ before, during, after, busy, wrong: (await cluster.results()).wrong, notes: scene.notes },
    ...{ memory: grown(), log: log - start.log, files: files - start.files }
  }
  return { ...row, faults: [...faults, ...faultsOf(row), ...endedIn(cluster)] }
}

/** An attack that has begun. */
interface Playing {
  readonly done: Promise<void>
  /** What the attack itself failed at. */
  readonly faults: string[]
}

export const beginAttack = (attack: Attack, { stage }: OpenStage): Playing => {
  const faults: string[] = []
  const done = attack.play(stage).catch(error => {
    if (!stage.signal.aborted) faults.push(`the attack itself failed: ${(error as Error).message}`)
  })
  return { done, faults }
}

/** It may take its time until it has tried something. */
export const isIn = async ({ times }: OpenStage, { faults }: Playing): Promise<void> => {
  const begun = systemClock.now()
  while (times() === 0 && faults.length === 0 && systemClock.now() - begun < LATEST_ATTACK)
    await systemClock.sleep(seconds(0.1))
}

/** @returns what is not as it should be, of the attack itself */
export const endAttack = async (attack: Attack, scene: OpenStage, { done, faults }: Playing): Promise<string[]> => {
  scene.end()
  await Promise.race([done, systemClock.sleep(seconds(WINDOW))])
  const found = attack.fault?.(scene.stage)
  await scene.leave()
  return [...faults, ...(scene.times() === 0 ? ['nothing was tried'] : []), ...(found === undefined ? [] : [found])]
}

export const endedIn = ({ nodes }: HonestCluster): string[] =>
  nodes
    .filter(({ child }) => child.exitCode !== null || child.signalCode !== null)
    .map(({ name, log }) => `${name} has ended: ${log().slice(-300)}`)

/** Other programs have the processors: how fast results come says nothing. That they do come, and the rest, does. */
export const isTooBusy = ({ before }: Pick<AttackRow, 'before'>): boolean => before < 0.8 * RATE * WINDOW

const faultsOf = (row: Omit<AttackRow, 'faults'>): string[] => {
  const { before, during, after, wrong, memory, log, files } = row
  const mean = during.reduce((sum, results) => sum + results, 0) / during.length
  const isBusy = isTooBusy(row)
  return [
    ...(isBusy ? [`this machine is too busy to tell rates: ${before} results in ${WINDOW} s before it`] : []),
    ...(mean < (isBusy ? SOME : LEAST.during * before)
      ? [`${mean.toFixed(0)} results in ${WINDOW} s while it lasted`]
      : []),
    ...(after < (isBusy ? SOME : LEAST.after * before) ? [`${after} results in ${WINDOW} s after it`] : []),
    ...(wrong > 0 ? [`${wrong} results are wrong`] : []),
    ...(memory > MOST.megabytes ? [`a device grew by ${memory.toFixed(0)} MB`] : []),
    ...(log > MOST.log ? [`${(log / 1e6).toFixed(1)} MB of log`] : []),
    ...(files > MOST.files ? [`${(files / 1e6).toFixed(0)} MB of files`] : [])
  ]
}
