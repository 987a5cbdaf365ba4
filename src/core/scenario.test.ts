import { describe, expect, test } from 'vitest'
import { PATIENT_TERMS } from './admission-terms.ts'
import { parseScenario } from './scenario.ts'

const cam = { name: 'cam', device: 'porch', model: 'net' }
const good = {
  devices: { porch: { speed: 0.2, memory: '64MiB' }, shed: null },
  links: { default: { bandwidth: '20Mbps', latency: 0 } },
  models: { net: { blocks: [{ work: '10ms', weights: '1MB' }], activations: ['1KB', '1KB'] } },
  sources: [cam]
}

/** What is said of a scenario with this change, a line for each problem. */
const said = (change: object): string[] => {
  try {
    parseScenario({ ...good, ...change }, 'x.yaml')
  } catch (error) {
    return (error as Error).message.split('\n').map(line => line.replace(/^x\.yaml: /, ''))
  }
  return []
}
const source = (change: object) => ({ sources: [{ ...cam, ...change }] })

test('what a scenario does not say has a default', () => {
  const { devices, links, sources, policy } = parseScenario(good, 'some/yard.yaml')
  expect(devices[1]).toEqual({ name: 'shed', speed: 1, memory: Number.POSITIVE_INFINITY })
  expect(links).toEqual([
    { from: 0, to: 1, rate: 2.5e6, latency: 0 },
    { from: 1, to: 0, rate: 2.5e6, latency: 0 }
  ])
  expect(sources[0]).toMatchObject({ arrivals: { kind: 'saturated' }, count: 100, window: 'auto', weight: 1, start: 0 })
  expect(sources[0]!.terms).toEqual(PATIENT_TERMS)
  expect(policy).toBe('confluence')
})

test('a source of files takes all of them, unless it says how many', () => {
  const models = { net: { file: 'net.onnx' } }
  const photos = { dir: 'photos', preset: 'imagenet' }
  const of = (change: object) => parseScenario({ ...good, models, ...source(change) }, 'x.yaml').sources[0]!
  expect(of(photos)).toMatchObject({
    count: Number.POSITIVE_INFINITY,
    files: { dir: 'photos', reading: { preset: 'imagenet' } }
  })
  expect(of({ ...photos, count: 7 }).count).toBe(7)
})

describe('times of blocks as they were measured', () => {
  const boards = { a1: { group: 'a' }, a2: { group: 'a', speed: 2 }, b: null }
  const sources = [{ name: 'cam', device: 'a1', model: 'net' }]
  const net = (model: object, devices: object = boards) =>
    parseScenario({ devices, sources, models: { net: { activations: ['1KB', '1KB', '1KB'], ...model } } }, 'x.yaml')
      .models[0]!
  const blocks = [{ weights: '1MB' }, { weights: '2MB' }]

  test('are milliseconds, or have a unit; of a device, of a group, of several at once', () => {
    expect(net({ blocks, times: { a: [10, '20ms'], b: ['0.5s', 40] } })).toMatchObject({
      times: [
        [0.01, 0.02],
        [0.01, 0.02],
        [0.5, 0.04]
      ]
    })
    expect(net({ blocks, times: { 'b, a': [1, 2] } })).toMatchObject({
      times: [
        [0.001, 0.002],
        [0.001, 0.002],
        [0.001, 0.002]
      ]
    })
  })

  test("a device's own count before those of its group", () => {
    const { times } = net({ blocks, times: { a: [1, 2], a2: [3, 4], b: [5, 6] } }) as { times?: unknown }
    expect(times).toEqual([
      [0.001, 0.002],
      [0.003, 0.004],
      [0.005, 0.006]
    ])
  })

  test('without work, a block has the work that its times stand for in the mean; with work, devices may have none', () => {
    expect(net({ times: { a1: [10, 20], a2: [5, 10], b: [40, 80] } })).toMatchObject({
      blocks: [
        { work: (0.01 + 2 * 0.005 + 0.04) / 3, weights: 0 },
        { work: (0.02 + 2 * 0.01 + 0.08) / 3, weights: 0 }
      ]
    })
    const worked = [{ work: '7ms' }, { work: '8ms' }]
    expect(net({ blocks: worked, times: { b: [1, 2] } })).toMatchObject({
      blocks: [{ work: 0.007 }, { work: 0.008 }],
      times: [undefined, undefined, [0.001, 0.002]]
    })
  })

  test('the first block may be pinned, of a file too', () => {
    expect(net({ times: { 'a,b': [1, 2] }, pinned: 'source' })).toMatchObject({ pinned: true })
    expect(net({ times: { 'a,b': [1, 2] } })).not.toHaveProperty('pinned')
    const file = { models: { net: { file: 'net.onnx', pinned: 'source' } } }
    expect(parseScenario({ ...good, ...file }, 'x.yaml').models[0]).toMatchObject({ kind: 'file', pinned: true })
  })

  const saidOf = (model: object, devices: object = boards): string => {
    try {
      net(model, devices)
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  test.each([
    [
      'an unknown device',
      { blocks, times: { bb: [1, 2] } },
      /times\.bb: there is no device or group "bb", did you mean "b"\?/
    ],
    ['too few', { blocks, times: { a: [1, 2], b: [1] } }, /times\.b: 1 times for 2 blocks; give one for each$/],
    [
      'none for a device',
      { blocks, times: { a: [1, 2] } },
      /blocks\[0\]\.work is missing, and b has no times: give the one/
    ],
    [
      'twice',
      { times: { a1: [1, 2], 'b,a1': [3, 4] } },
      /times\.b,a1: a1 has times twice, here and under a1; remove one$/
    ],
    [
      'zero',
      { blocks, times: { a: [1, 0], b: [1, 2] } },
      /times\.a\[1\]: 0 is not the time of a block: milliseconds like 3\.2/
    ],
    ['less than nothing', { times: { a: [1, -2], b: [1, 2] } }, /times\.a\[1\]: -2 is not the time of a block/],
    ['no number', { times: { a: [1, Number.NaN], b: [1, 2] } }, /times\.a\[1\]: null is not the time of a block/],
    [
      'for ever',
      { times: { a: [1, 1e300], b: [1, 2] } },
      /times\.a\[1\]: 1e\+300 is not the time .*from 1e-6ms to 24h$/
    ],
    ['another quantity', { times: { a: [1, '3MB'], b: [1, 2] } }, /times\.a\[1\]: "3MB" is not the time of a block/],
    ['a list in a list', { times: { a: [[1, 2]], b: [1, 2] } }, /times\.a\[0\]: \[1,2\] is not the time of a block/],
    ['nothing', { times: { a: [], b: [1, 2] } }, /times\.a: needs at least 1 entry/],
    [
      'hardly any',
      { times: { 'a,b': ['1e-6ms', '1e-6ms'] } },
      /times\.a1: less than 0\.10 us in all, too little to plan for/
    ],
    [
      'pinned elsewhere',
      { blocks, times: { 'a,b': [1, 2] }, pinned: 'shed' },
      /pinned: must be source: the first block/
    ],
    ['neither blocks nor times', {}, /models\.net\.blocks is missing; or give times$/]
  ])('%s', (_, model, expected) => {
    expect(saidOf(model)).toMatch(expected)
    expect(saidOf(model)).not.toContain('\n')
  })
})

test('a file has times too, for as many blocks as all say that it is cut into', () => {
  const models = (times: object) => ({ models: { net: { file: 'x.onnx', times } } })
  expect(parseScenario({ ...good, ...models({ porch: [1, '2ms'] }) }, 'x.yaml').models[0]).toMatchObject({
    kind: 'file',
    times: [[0.001, 0.002], undefined]
  })
  expect(said(models({ porch: [1, 2], shed: [1] }))).toEqual([
    'models.net.times.shed: 1 times for 2 blocks; give one for each'
  ])
})

describe('a number beyond reason is refused in a line that names the field, the value and the limit', () => {
  const block = (change: object) => ({
    models: { net: { blocks: [{ work: '10ms', ...change }], activations: ['1KB', '1KB'] } }
  })
  const devices = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`d${n}`, {}]))
  const cases: [string, object, RegExp][] = [
    [
      'a speed of 1e-308',
      { devices: { porch: { speed: 1e-308 } } },
      /^devices\.porch\.speed: .*0\.000001, not 1e-308$/
    ],
    ['a subnormal speed', { devices: { porch: { speed: 5e-324 } } }, /speed: must be at least 0\.000001, not 5e-324$/],
    ['a speed of 1e308', { devices: { porch: { speed: 1e308 } } }, /speed: must be at most 1000000000, not 1e\+308$/],
    ['work of 1e308 s', block({ work: '1e308s' }), /work: "1e308s" is out of range: at most 1e9s$/],
    ['work beyond all numbers', block({ work: '1e999h' }), /work: "1e999h" is out of range: at most 1e9s$/],
    ['weights of 1e308 B', block({ weights: '1e308B' }), /weights: "1e308B" is out of range: at most 1e6GB$/],
    ['memory of 1e308 GiB', { devices: { porch: { memory: '1e308GiB' } } }, /memory: "1e308GiB" is out of range/],
    [
      'bandwidth of 1e-308',
      { links: { default: { bandwidth: '1e-308bps' } } },
      /"1e-308bps" is out of range: from 1bps/
    ],
    [
      'bandwidth of 1e308',
      { links: { default: { bandwidth: '1e308Gbps' } } },
      /bandwidth: "1e308Gbps" is out of range/
    ],
    ['a latency of 1e300 s', { links: { default: { latency: '1e300s' } } }, /latency: "1e300s" is out of range/],
    ['data every 1e-308 s', source({ arrivals: { every: '1e-308s' } }), /every.*: "1e-308s" is out of range: from 1us/],
    ['1e308 data a second', source({ arrivals: { poisson: '1e308/s' } }), /poisson.*: "1e308\/s" is out of range/],
    ['data almost never', source({ arrivals: { poisson: '1e-300/s' } }), /"1e-300\/s" is out of range: from 1e-9\/s/],
    ['a weight of 1e-308', source({ weight: 1e-308 }), /weight \(cam\): must be at least 0\.000001, not 1e-308$/],
    ['a count of 1e308', source({ count: 1e308 }), /count \(cam\): must be /],
    ['a start in 1e300 s', source({ start: '1e300s' }), /start \(cam\): "1e300s" is out of range/],
    ['an event in 1e300 s', { events: [{ at: '1e300s', device: 'shed', speed: 1 }] }, /"1e300s" is out of range/],
    [
      'links of 10,000 devices',
      { devices: { ...devices(9000), ...good.devices } },
      /^links\.topology: full .* 81027002 links/
    ]
  ]
  test.each(cases)('%s', (_, change, expected) => {
    const lines = said(change)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(expected)
  })
})

describe('what is wrong is said in words, with an example', () => {
  const media = [{ name: 'wifi', devices: ['porch'] }]
  const wifi = { name: 'wifi', devices: ['porch', 'shed'] }
  const block = { work: '1ms', weights: '1KB' }
  const cases: [string, object, RegExp][] = [
    ['files that nobody can read', source({ dir: 'photos' }), /^sources\[0\]\.dir: needs one of preset .*and io/],
    ['a way to read nothing', source({ io: 'mine.yaml' }), /^sources\[0\]\.io: is for a source of files; add dir/],
    [
      'files for a model of sizes',
      source({ dir: 'photos', preset: 'raw' }),
      /^sources\[0\]\.dir: the model net is made of sizes and times/
    ],
    ['another name for a folder', source({ folder: 'photos' }), /unknown key "folder", did you mean "dir"\?/],
    [
      'a number for arrivals',
      source({ arrivals: 5 }),
      /^sources\[0\]\.arrivals \(cam\): 5 is not an arrival process: saturated, \{ poisson: 5\/s \} or \{ every: 200ms \}$/
    ],
    ['a word for arrivals', source({ arrivals: 'saturatd' }), /: "saturatd" is not an arrival process: saturated,/],
    [
      'a rate without unit',
      source({ arrivals: { poisson: 5 } }),
      /^sources\[0\]\.arrivals\.poisson \(cam\): "5" has no unit; write it like 5\/s \(units: \/s,/
    ],
    [
      'a wrong form of arrivals',
      source({ arrivals: { poison: '5/s' } }),
      /unknown key "poison", did you mean "poisson"\?/
    ],
    [
      'a rate without its unit',
      source({ rate: 5 }),
      /^sources\[0\]\.rate \(cam\): "5" has no unit; write it like 5\/s/
    ],
    ['a rule for dropping', source({ drop: 'eldest' }), /^sources\[0\]\.drop \(cam\): must be .*oldest/],
    ['no queue', source({ queue: 0 }), /^sources\[0\]\.queue \(cam\): must be at least 1, not 0/],
    ['no time at all', source({ deadline: '0s' }), /^sources\[0\]\.deadline \(cam\): must be more than 0/],
    [
      'late without a deadline',
      source({ late: 'cancel' }),
      /^sources\[0\]\.late: is for a source with a deadline; add deadline: 500ms/
    ],
    ['a key near to none', source({ colour: 5 }), /^sources\[0\] \(cam\): unknown key "colour" \(known: name,/],
    [
      'a bandwidth without unit',
      { links: { default: { bandwidth: 20 } } },
      /^links\.default\.bandwidth: "20" has no unit; write it like 20Mbps \(units: bps/
    ],
    ['a wrong unit', { links: { default: { bandwidth: '20MB' } } }, /"20MB" is not a quantity like 20Mbps; units: bps/],
    [
      'no quantity at all',
      { links: { default: { latency: [] } } },
      /^links\.default\.latency: must be a quantity like/
    ],
    ['a source without model', { sources: [{ ...cam, model: undefined }] }, /^sources\[0\]\.model \(cam\) is missing$/],
    ['no models', { models: undefined }, /^models is missing$/],
    ['no work', { models: { net: { blocks: [{}], activations: [] } } }, /^models\.net\.blocks\[0\]\.work is missing$/],
    [
      'text for a number',
      { devices: { porch: { speed: 'fast' } } },
      /^devices\.porch\.speed: must be a number, not "fast"/
    ],
    ['no speed', { devices: { porch: { speed: 0 } } }, /^devices\.porch\.speed: must be more than 0, not 0$/],
    ['half a datum', source({ count: 1.5 }), /^sources\[0\]\.count \(cam\): must be a whole number, not 1\.5$/],
    ['no sources', { sources: [] }, /^sources: needs at least 1 entry$/],
    ['a medium of one', { links: { media } }, /^links\.media\[0\]\.devices \(wifi\): needs at least 2 entries$/],
    ['a mapping for a list', { sources: { cam } }, /^sources: must be a list$/],
    ['half a model', { models: { net: { blocks: [block] } } }, /^models\.net\.activations is missing$/],
    [
      'an empty model',
      { models: { net: {} } },
      /^models\.net\.file is missing|^models\.net: is not a model: either file/
    ],
    [
      'an event of nothing',
      { events: [{ at: '5s', device: 'shed' }] },
      /^events\[0\] \(at 5s\): is not an event: at, and/
    ],
    [
      'a slow event',
      { events: [{ at: '5s', device: 'shed', speed: 'slow' }] },
      /^events\[0\]\.speed \(at 5s\): must be a number, not "slow"$/
    ],
    [
      'a way to leave',
      { events: [{ at: '5s', device: 'shed', leaves: 'dies' }] },
      /^events\[0\]\.leaves \(at 5s\): must be kill or stop, not "dies"$/
    ],
    [
      'a misspelt event',
      { events: [{ at: '5s', device: 'shed', sped: 1 }] },
      /unknown key "sped", did you mean "speed"\?/
    ],
    [
      'an event of two changes',
      { events: [{ at: '5s', device: 'shed', speed: 1, leaves: 'kill' }] },
      /^events\[0\] \(at 5s\): says speed and leaves, and an event is one change; give an entry for each/
    ],
    [
      'an event of a device and of a link',
      { events: [{ at: '5s', device: 'shed', speed: 1, link: 'porch->shed', bandwidth: '1Mbps' }] },
      /^events\[0\] \(at 5s\): says speed and link, and an event is one change; give an entry for each/
    ],
    [
      "a link's change of a device",
      { events: [{ at: '5s', device: 'shed', speed: 1, latency: '1ms' }] },
      /^events\[0\] \(at 5s\): key "latency" does not go with the others that stand there$/
    ],
    [
      'a device that leaves twice',
      {
        events: [
          { at: '9s', device: 'shed', leaves: 'kill' },
          { at: '5s', device: 'shed', leaves: 'stop' }
        ]
      },
      /^events: at 9 s shed leaves, and it has left before; remove that event, or let it join between the two$/
    ],
    [
      'a device that joins twice',
      {
        events: [
          { at: '5s', device: 'shed', joins: true },
          { at: '9s', device: 'shed', joins: true }
        ]
      },
      /^events: at 9 s shed joins, and it is there already; remove that event, or let it leave between the two$/
    ],
    [
      'two media of one name',
      { links: { media: [wifi, wifi] } },
      /^links\.media\[1\]\.name: "wifi" is there twice; give each medium its own name$/
    ],
    ['two sources of one name', { sources: [cam, cam] }, /^sources\[1\]\.name: "cam" is there twice; give each source/],
    [
      'a model without work',
      { models: { net: { blocks: [{ work: '0s' }, { work: 0 }], activations: ['1KB', '1KB', '1KB'] } } },
      /^models\.net\.blocks: work is 0 s in all, too little to plan for: .*; give a block work, 0\.10 us or more$/
    ],
    [
      'a model of too little work for so fast a device',
      { devices: { porch: { speed: 1e8 } }, models: { net: { blocks: [{ work: '10ms' }], activations: [0, 0] } } },
      /^models\.net\.blocks: work is 10\.0 ms in all, .* 10\.0 s or more$/
    ]
  ]
  test.each(cases)('%s', (_, change, expected) => {
    const lines = said(change)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(expected)
  })
})

test('several problems are told at once, a line each', () => {
  expect(
    said({
      devices: { porch: { speed: -1, memory: 64 } },
      ...source({ frequency: 5, colour: 'red', count: 0 })
    }).map(line => line.replace(/ \(known:.*/, ''))
  ).toEqual([
    'devices.porch.speed: must be more than 0, not -1',
    'devices.porch.memory: "64" has no unit; write it like 64MiB (units: B, KB, MB, GB, KiB, MiB, GiB)',
    'sources[0].count (cam): must be at least 1, not 0',
    'sources[0] (cam): unknown key "frequency", did you mean "arrivals"?',
    'sources[0] (cam): unknown key "colour"'
  ])
})

test('very many problems are counted', () => {
  const lines = said({ sources: Array.from({ length: 30 }, () => ({ ...cam, count: 0 })) })
  expect(lines).toHaveLength(21)
  expect(lines.at(-1)).toBe('10 more problems')
})
