import { rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { allAttacks } from '../../bench/attack/all-attacks.ts'
import { makeData, openHonestCluster, RATE } from '../../bench/attack/honest-cluster.ts'
import { playInTurn, QUICK_DURATION } from '../../bench/attack/play-in-turn.ts'

// The attacks of `npm run bench:attack` that take seconds, each for a moment; what each costs that program tells.

/** Data of the honest source, for as long as this may take on a busy machine. */
const LONGEST = 180

test('what members, guests, outsiders and clients do ends no device and makes no result wrong', async () => {
  const data = await makeData(LONGEST * RATE)
  try {
    await using cluster = await openHonestCluster(data, [])
    const quick = allAttacks().filter(({ isQuick = false }) => isQuick)
    const { tried, faults } = await playInTurn(quick, cluster, QUICK_DURATION)
    expect([...tried].filter(([, times]) => times === 0)).toEqual([])
    expect(faults).toEqual([])
  } finally {
    await rm(data.folder, { recursive: true, force: true })
  }
}, 180_000)
