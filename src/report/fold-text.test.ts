import { expect, test } from 'vitest'
import { foldText } from './fold-text.ts'
import { textTable } from './text-table.ts'

test('prose is broken between words, never between a number and its percent sign', () => {
  const text = foldText(`${'word '.repeat(15)}12 % more and ${'x'.repeat(90)} end`, '    ')
  expect(text.split('\n')).toEqual([`${'word '.repeat(15)}12 %`, '    more and', `    ${'x'.repeat(90)}`, '    end'])
  expect(foldText('  short', 'hang')).toBe('  short')
})

test('a table is as wide as a terminal: columns of text are broken into lines, numbers are not', () => {
  const table = textTable(
    [{ title: 'device' }, { title: 'carries' }, { title: 'bytes', align: 'right' }],
    [['d'.repeat(40), Array.from({ length: 30 }, (_, i) => `model-${i} 0-${i}`).join('; '), '123,456,789 B']]
  )
  const lines = table.split('\n')
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80)
  expect(lines[2]).toMatch(/123,456,789 B$/)
  expect(table.replaceAll(/\s+/g, ' ')).toContain('model-29')
})
