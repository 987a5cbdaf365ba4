import { describe, expect, test } from 'vitest'
import type { PublishedRow } from '../../bench/published/published-row.ts'
import { type Ran, runPublished } from '../run-published.ts'

const rowsOf = ({ stdout }: Ran): readonly PublishedRow[] => JSON.parse(stdout) as PublishedRow[]

describe('bench:published', () => {
  test('PipeEdge on 2 and 16 boards, ViT-Base and ViT-Large', async () => {
    const names = ['base-rcc-2', 'base-rcc-16', 'large-rcc-2', 'large-rcc-16'].map(name => `pipeedge-vit-${name}`)
    const ran = await runPublished(...names, '--json')
    expect(ran.code).toBe(0)
    for (const [i, row] of rowsOf(ran).entries()) {
      expect(row).toEqual({
        ...{ name: names[i], source: expect.stringMatching(/usc-isi\/PipeEdge 1a68bbb.*arXiv 2110\.14895/) },
        ...{ published: [1.53, 9.99, 0.445, 3.304][i], ours: expect.any(Number), deviation: expect.any(Number) },
        ...{ limit: 0.005, ok: true }
      })
      expect(row.deviation).toBeCloseTo(row.ours / row.published - 1, 12)
      expect(Math.abs(row.deviation)).toBeLessThanOrEqual(0.005)
    }
  })
})
