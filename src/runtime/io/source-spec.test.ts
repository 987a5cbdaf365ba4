import { expect, test } from 'vitest'
import { PATIENT_TERMS } from '../../core/admission-terms.ts'
import { UserError } from '../../core/user-error.ts'
import { parseSourceSpec } from './source-spec.ts'

test('a source is a name and a folder; the rest has defaults', () => {
  expect(parseSourceSpec('door=dir:./images')).toEqual({
    name: 'door',
    folder: './images',
    model: undefined,
    window: 16,
    start: 0,
    arrivals: { kind: 'saturated' },
    count: undefined,
    weight: 1,
    patience: 30,
    admission: PATIENT_TERMS
  })
})

test('all options in any order; commas, colons and equal signs of a path stay in the path', () => {
  const text = 'cam-1=dir:C:/a,b=c/d, e,weight=0.5,count=40,arrivals=poisson:5/s,window=8,model=ocr'
  expect(() => parseSourceSpec(text)).toThrow('unknown option "b"')
  expect(parseSourceSpec(text.replace('b=c', 'b c'))).toEqual({
    name: 'cam-1',
    folder: 'C:/a,b c/d, e',
    model: 'ocr',
    window: 8,
    start: 0,
    arrivals: { kind: 'poisson', rate: 5 },
    count: 40,
    weight: 0.5,
    patience: 30,
    admission: PATIENT_TERMS
  })
})

test.each([
  ['door', /is not NAME=dir:PATH/],
  ['door=./images', /is not NAME=dir:PATH/],
  ['=dir:x', /name: letters, digits/],
  ['do/or=dir:x', /name: letters, digits/],
  ['door=dir:', /folder: needs a folder: dir:PATH/],
  ['door=dir:,window=3', /folder: needs a folder/],
  ['door=dir:x,windw=3', /unknown option "windw", did you mean "window"\?/],
  ['door=dir:x,window=0', /window: .*1/],
  ['door=dir:x,window=1.5', /window: must be a whole number/],
  ['door=dir:x,window=', /window: /],
  ['door=dir:x,window=3,window=4', /window is given twice/],
  ['door=dir:x,count=-1', /count: .*1/],
  ['door=dir:x,weight=0', /weight: .*0/],
  ['door=dir:x,weight=Infinity', /weight: /],
  ['door=dir:x,weight=1e-308', /weight: must be at least 0\.000001/],
  ['door=dir:x,patience=1e400s', /patience: .*"1e400s" is out of range: at most 1e9s/],
  ['door=dir:x,start=1e12s', /start: .*out of range/],
  ['door=dir:x,arrivals=poisson:1e300/s', /arrivals: .*out of range: from 1e-9\/s to 1e6\/s/],
  ['door=dir:x,arrivals=evry:2s', /arrivals: .*did you mean every\?/],
  ['door=dir:x,arrivals=every:2', /arrivals: .*units: s, ms/],
  ['door=dir:x,model=', /model: needs a name/],
  ['door=dir:x,deadline=0s', /deadline: .*"0s" must be more than 0s/],
  ['door=dir:x,rate=5', /rate: .*no unit.*5\/s/],
  ['door=dir:x,rate=0/s', /rate: .*must be more than 0/],
  ['door=dir:x,queue=0', /queue: .*1/],
  ['door=dir:x,late=never', /late: .*finish.*cancel/],
  ['door=dir:x,drop=old,arrivals=every:1s', /drop: .*oldest/],
  ['door=dir:x,drop=oldest', /drop=oldest needs arrivals=: the items of a dir source wait/]
])('%s is refused in words that name what is wrong', (text, message) => {
  expect(() => parseSourceSpec(text)).toThrow(message)
  expect(() => parseSourceSpec(text)).toThrow(UserError)
  expect(() => parseSourceSpec(text)).toThrow(`source "${text}"`)
})

test('how data that cannot wait are admitted is told with the source', () => {
  const text = 'cam=dir:x,arrivals=every:40ms,deadline=500ms,drop=oldest,queue=4,rate=5/s,late=cancel'
  const admission = { deadline: 0.5, drop: 'oldest', queue: 4, rate: 5, late: 'cancel' }
  expect(parseSourceSpec(text).admission).toEqual(admission)
})

test('made-up data have a count in place of a folder; a source may start later', () => {
  const { folder, synthetic, start } = parseSourceSpec('cam=synthetic:200,start=5s')
  expect({ folder, synthetic, start }).toEqual({ folder: '', synthetic: 200, start: 5 })
  expect(() => parseSourceSpec('cam=synthetic:0')).toThrow('synthetic:0 needs how many')
  expect(() => parseSourceSpec('cam=synthetic:9,start=5')).toThrow(/start: .*units: s, ms/)
})
