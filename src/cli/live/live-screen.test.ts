import { expect, test } from 'vitest'
import { LiveScreen, type ScreenOutput } from './live-screen.ts'

const terminal = (size: Pick<ScreenOutput, 'isTTY' | 'columns' | 'rows'>) => {
  const written: string[] = []
  return { written, screen: new LiveScreen({ ...size, write: text => written.push(text) }) }
}

/** What a terminal shows of one drawing, as far as it is used here. */
const shown = (text: string): string[] =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal is told by
    .replace(/\x1b\[[?\d]*[a-zA-Z]/g, '')
    .split('\r\n')

test('on a terminal each text is drawn over the one before in one go, and what was there comes back, once', () => {
  const { written, screen } = terminal({ isTTY: true, columns: 10, rows: 6 })
  screen.draw('one\ntwo', 'q quit')
  screen.draw('three', 'q quit')
  expect(written).toHaveLength(3)
  expect(written[0]).toBe('\x1b[?1049h\x1b[?25l')
  expect(written.slice(1).map(shown)).toEqual([
    ['one', 'two', '', 'q quit'],
    ['three', '', 'q quit']
  ])
  for (const text of written.slice(1)) expect(text).not.toContain('\x1b[2J') // erased first, it would flicker
  screen[Symbol.dispose]()
  screen[Symbol.dispose]()
  screen.draw('late', '')
  expect(written.slice(3)).toEqual(['\x1b[?25h\x1b[?1049l'])
})

test('what does not fit is cut off at the right, and counted at the bottom', () => {
  const { written, screen } = terminal({ isTTY: true, columns: 8, rows: 5 })
  screen.draw('a very long line\n2\n3\n4\n5', 'q quit')
  expect(shown(written[1]!)).toEqual(['a very l', '2', '... 3 mo', '', 'q quit'])
})

test('without a terminal one text follows the other, and there is nothing else', () => {
  const { written, screen } = terminal({})
  screen.draw('one\ntwo', 'q quit')
  screen.draw('three', 'q quit')
  screen[Symbol.dispose]()
  expect(written.join('')).toBe('one\ntwo\n\nthree\n\n')
})
