import { expect, test } from 'vitest'
import { timelineRows } from './timeline-rows.ts'

test('each device has a row, and each link on which it sends one behind it', () => {
  const of = { source: 'cam@porch', datum: 7 }
  const ran = { ...of, did: 'ran', model: 'm', ready: 0 } as const
  const sent = { ...of, did: 'sent', activation: 1, bytes: 9, ready: 1, start: 1, end: 2 } as const
  const rows = timelineRows(
    [
      { id: 'p', name: 'porch' },
      { id: 's', name: 'shed' },
      { id: 'h', name: 'hall' }
    ],
    [
      { ...ran, device: 'p', block: 1, start: 5, end: 6 },
      { ...ran, device: 'p', block: 0, start: 0, end: 1 },
      { ...sent, device: 'p', to: 'shed' },
      { ...sent, device: 'p', to: 'hall' },
      { ...ran, device: 'gone', block: 1, start: 2, end: 4 }
    ]
  )
  expect(rows.map(({ kind, name, bars }) => [kind, name, bars.map(({ start, label }) => `${start} ${label}`)])).toEqual(
    [
      ['lane', 'porch', ['0 0', '5 1']],
      ['link', 'hall', ['1 ']],
      ['link', 'shed', ['1 ']],
      ['lane', 'shed', []],
      ['lane', 'hall', []]
    ]
  )
})

test('what a device runs at once has a row for each lane', () => {
  const ran = { did: 'ran', source: 'cam', model: 'm', block: 0, ready: 0, device: 'p' } as const
  const rows = timelineRows(
    [{ id: 'p', name: 'porch' }],
    [
      { ...ran, datum: 1, start: 0, end: 2 },
      { ...ran, datum: 2, start: 1, end: 3 },
      { ...ran, datum: 3, start: 2, end: 4 }
    ]
  )
  expect(rows.map(({ name, bars }) => [name, bars.map(({ start }) => start)])).toEqual([
    ['porch', [0, 2]],
    ['porch, lane 2', [1]]
  ])
})
