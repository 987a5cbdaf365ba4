import { expect, test } from 'vitest'
import { textTable } from './text-table.ts'

test('words stand on the left, numbers on the right, a rule under the titles', () => {
  const columns = [{ title: 'policy' }, { title: 'results/s', align: 'right' }] as const
  expect(
    textTable(columns, [
      ['local', '16.2'],
      ['ms-mdi\nagain', '9.0']
    ])
  ).toBe(['policy  results/s', '------  ---------', 'local        16.2', 'ms-mdi        9.0', 'again'].join('\n'))
})
