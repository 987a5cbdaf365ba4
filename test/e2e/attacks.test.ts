import { rm } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'
import { openStage } from '../../bench/attack/attack.ts'
import { makeData, openHonestCluster, RATE } from '../../bench/attack/honest-cluster.ts'
import { MEMBER_ATTACKS } from '../../bench/attack/member-attacks.ts'
import { seconds } from '../../src/core/units.ts'
import { systemClock } from '../../src/runtime/system-clock.ts'

// The quick part of `npm run bench:attack`: what members do, all at once.

/** Megabytes by which a device may grow. */
const MOST_GROWTH = 400

test('beside members that forge placements, results, custody and models, right results go on, and nobody ends or swells', async () => {
  const data = await makeData(600 * RATE)
  onTestFinished(() => rm(data.folder, { recursive: true, force: true }))
  await using cluster = await openHonestCluster(data, [])
  const attacks = MEMBER_ATTACKS.filter(({ isQuick }) => isQuick === true)
  expect(attacks.length).toBeGreaterThan(4)
  const { memory } = await cluster.cost()
  const stages = attacks.map(() => openStage(cluster))
  const playing = attacks.map(({ play }, i) => play(stages[i]!.stage))
  const until = async (holds: () => Promise<boolean> | boolean): Promise<void> => {
    while (!(await holds())) await systemClock.sleep(seconds(0.2))
  }
  const more = async (count: number): Promise<void> => {
    const { all } = await cluster.results()
    await until(async () => (await cluster.results()).all >= all + count)
  }
  await until(() => stages.every(({ times }) => times() > 0))
  await more(3 * RATE)
  const { memory: swollen } = await cluster.cost()
  for (const { end } of stages) end()
  await Promise.allSettled(playing)
  await Promise.all(stages.map(({ leave }) => leave()))
  await more(RATE)
  expect((await cluster.results()).wrong).toBe(0)
  expect(swollen - memory).toBeLessThan(MOST_GROWTH)
  for (const { child, name } of cluster.nodes)
    expect([name, child.exitCode, child.signalCode]).toEqual([name, null, null])
}, 240_000)
