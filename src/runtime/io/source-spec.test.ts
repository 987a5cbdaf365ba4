import { expect, test } from 'vitest'
import { PATIENT_TERMS } from '../../core/admission-terms.ts'
import { UserError } from '../../core/user-error.ts'
import { parseSourceSpec } from './source-spec.ts'

test('a source is a name and a folder; the rest has defaults', () => {
  expect(parseSourceSpec('door=dir:./images')).toMatchObject({
    name: 'door',
    folder: './images',
    model: undefined,
    window: 'auto',
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
  expect(parseSourceSpec(text.replace('b=c', 'b c'))).toMatchObject({
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
  ['door=watch:', /folder: needs a folder: watch:PATH/],
  ['door=watch:x,arrivals=every:1s', /arrivals is an option of dir and synthetic sources, not of watch/],
  ['door=dir:x,settle=1s', /settle is an option of watch sources, not of dir/],
  ['door=stdin:pictures', /stdin:pictures must be stdin:lines or stdin:frames/],
  ['door=stdin:frames', /stdin:frames needs size=WIDTHxHEIGHT/],
  ['door=dir:x,late=cancel', /late=cancel is for a source with a deadline; add deadline=500ms/],
  ['door=stdin:,pixels=gray', /pixels is an option of stdin:frames; leave it out/],
  ['door=stdin:,size=3x4', /stdin:frames needs size=/],
  ['door=stdin:frames,size=640', /size: must be WIDTHxHEIGHT in pixels, like 640x480/],
  ['cam=video:', /needs a file, an address or a device: video:INPUT/],
  ['cam=video:a.mp4,fps=0', /fps: .*0\.001/],
  ['cam=video:a.mp4,pace=slow', /pace: .*fast.*real/],
  ['cam=video:a.mp4,format=../x', /format: must be a format of ffmpeg/],
  ['cam=watch:x,fps=3', /fps is an option of video sources, not of watch/],
  ['cam=mqtt://broker', /is not mqtt:\/\/.*HOST.*TOPIC/],
  ['cam=mqtt:http://broker/topic', /is not mqtt:/],
  ['cam=mqtt://broker:99999/topic', /is not mqtt:/],
  ['cam=mqtt://broker/topic,qos=2', /qos: .*0.*1/],
  ['cam=mqtt://broker/topic,qos=0,drop=none', /drop=none needs qos=1/],
  ['door=dir:x,drop=oldest', /drop=oldest needs arrivals=: the items of a dir source wait/]
])('%s is refused in words that name what is wrong', (text, message) => {
  expect(() => parseSourceSpec(text)).toThrow(message)
  expect(() => parseSourceSpec(text)).toThrow(UserError)
  expect(() => parseSourceSpec(text)).toThrow(`source "${text}"`)
})

test('a password is not told', () => {
  expect(() => parseSourceSpec('cam=mqtt://me:p@ss@broker/yard,qos=3')).toThrow(
    'source "cam=mqtt://***@broker/yard,qos=3"'
  )
  expect(() => parseSourceSpec('cam=video:rtsp://me:pass@cam/1,fps=0')).toThrow(
    'source "cam=video:rtsp://***@cam/1,fps=0"'
  )
})

test('how data that cannot wait are admitted is told with the source', () => {
  const text = 'cam=dir:x,arrivals=every:40ms,deadline=500ms,drop=oldest,queue=4,rate=5/s,late=cancel'
  const admission = { deadline: 0.5, drop: 'oldest', queue: 4, rate: 5, late: 'cancel' }
  expect(parseSourceSpec(text).admission).toEqual(admission)
})

test('a source whose items come by themselves says what it needs to know of them', () => {
  const watch = parseSourceSpec('in=watch:/data/in,settle=0s,drop=oldest,queue=3')
  expect(watch).toMatchObject({ kind: 'watch', folder: '/data/in', settle: 0, admission: { drop: 'oldest', queue: 3 } })
  const frames = parseSourceSpec('cam=stdin:frames,size=640x480,pixels=gray')
  expect(frames).toMatchObject({ kind: 'stdin', argument: 'frames', size: { width: 640, height: 480 }, channels: 1 })
  const camera = parseSourceSpec('cam=video:rtsp://me:pass@cam:554/s?a=1&b=2,fps=5,pace=real,window=2')
  expect(camera).toMatchObject({ argument: 'rtsp://me:pass@cam:554/s?a=1&b=2', fps: 5, pace: 'real' })
  expect([camera.admission.drop, camera.arrivals]).toEqual(['oldest', { kind: 'poisson', rate: 5 }])
  expect(parseSourceSpec('cam=video:clip.mp4').admission.drop).toBe('none')
  const made = parseSourceSpec('cam=video:testsrc=size=64x48,format=lavfi')
  expect([made.argument, made.format, made.admission.drop]).toEqual(['testsrc=size=64x48', 'lavfi', 'oldest'])
  const messages = parseSourceSpec('cam=mqtt://broker:1884/yard/+/image,qos=0')
  expect(messages).toMatchObject({ argument: '//broker:1884/yard/+/image', qos: 0, admission: { drop: 'oldest' } })
  const limited = parseSourceSpec('cam=stdin:,rate=5/s')
  expect(limited).toMatchObject({ argument: '', folder: '', arrivals: { kind: 'poisson', rate: 5 } })
})

test('made-up data have a count in place of a folder; a source may start later', () => {
  const { folder, synthetic, start } = parseSourceSpec('cam=synthetic:200,start=5s')
  expect({ folder, synthetic, start }).toEqual({ folder: '', synthetic: 200, start: 5 })
  expect(() => parseSourceSpec('cam=synthetic:0')).toThrow('synthetic:0 needs how many')
  expect(() => parseSourceSpec('cam=synthetic:9,start=5')).toThrow(/start: .*units: s, ms/)
})
