import { expect, test } from 'vitest'
import { SourceKinds } from './source-kinds.ts'

const cam = (kind: 'dir' | 'watch' | 'video' | 'stdin') => ({ name: 'cam', kind })

test('a name whose items come is not one whose items are listed, also when it was gone meanwhile', () => {
  const kinds = new SourceKinds()
  kinds.take([cam('watch')], 'porch')
  expect(kinds.isLive('cam@porch')).toBe(true)
  kinds.take([], 'porch')
  expect(() => kinds.take([{ name: 'door', kind: 'watch' }, cam('dir')], 'porch')).toThrow(
    /^source cam: .* only with a restart, or under another name$/
  )
  expect(kinds.isLive('door@porch')).toBe(false)
  kinds.take([cam('video')], 'porch')
})

test('what is not to be after all is forgotten; what was before stays', () => {
  const kinds = new SourceKinds()
  kinds.take([cam('watch')], 'porch')
  kinds.take([cam('watch'), { name: 'door', kind: 'watch' }], 'porch')()
  expect([kinds.isLive('cam@porch'), kinds.isLive('door@porch')]).toEqual([true, false])
  kinds.take([{ name: 'door', kind: 'dir' }], 'porch')
})

test('standard input is read by one source of a process', () => {
  const kinds = new SourceKinds()
  kinds.refuseInput([cam('stdin')])
  kinds.begun([cam('stdin')])
  kinds.refuseInput([cam('dir')])
  expect(() => kinds.refuseInput([cam('stdin')])).toThrow(/^source cam: standard input .* only with a restart$/)
})
