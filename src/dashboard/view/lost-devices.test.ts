import { expect, test } from 'vitest'
import { lostDevices } from './lost-devices.ts'

const line = (time: number, kind: 'left' | 'joined', device: string, level: string) => ({
  ...{ number: time, time, level, text: '', kind, device }
})

test('who was lost is named until it is back; who said goodbye is not', () => {
  const lines = [
    line(1, 'left', 'shed', 'warn'),
    line(2, 'left', 'hall', 'info'),
    line(3, 'left', 'attic', 'warn'),
    line(4, 'joined', 'attic', 'info')
  ]
  expect(lostDevices(lines, [])).toEqual([{ name: 'shed', since: 1 }])
  expect(lostDevices(lines, [{ name: 'shed' }])).toEqual([])
})
