import { expect, test } from 'vitest'
import { parseTraceparent } from './parse-traceparent.ts'

const trace = '0af7651916cd43dd8448eb211c80319c'
const span = 'b7ad6b7169203331'

test('a traceparent names its trace and span, and says whether it is recorded', () => {
  expect(parseTraceparent(`00-${trace}-${span}-01`)).toEqual({ traceId: trace, spanId: span, isSampled: true })
  expect(parseTraceparent(`00-${trace}-${span}-02`)).toMatchObject({ isSampled: false })
  expect(parseTraceparent(`cc-${trace}-${span}-01-what will be`)).toMatchObject({ traceId: trace })
})

test.each([
  undefined,
  '',
  `00-${trace}-${span}-01-more`,
  `ff-${trace}-${span}-01`,
  `00-${'0'.repeat(32)}-${span}-01`,
  `00-${trace}-${'0'.repeat(16)}-01`,
  `00-${trace.toUpperCase()}-${span}-01`,
  `00-${trace}-${span}`,
  `cc-${trace}-${span}-01-${'x'.repeat(600)}`
])('%s is none', text => {
  expect(parseTraceparent(text)).toBeUndefined()
})
