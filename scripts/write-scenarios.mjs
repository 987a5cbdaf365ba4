// Writes the files of scenarios/: networks like those of the field's experiments, with block costs that were profiled
// from the model zoo on one machine. `node scripts/write-scenarios.mjs PROFILES`, where PROFILES is a folder with the output
// of `tributary profile MODEL.onnx --blocks 12 --json` for each model, as resnet50.json and so on.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const profiles = process.argv[2]
if (profiles === undefined) {
  process.stderr.write('usage: node scripts/write-scenarios.mjs FOLDER_OF_PROFILES\n')
  process.exit(2)
}

const ms = seconds => `${(seconds * 1e3).toPrecision(3)}ms`
const kb = bytes =>
  bytes >= 999_500 ? `${Number((bytes / 1e6).toPrecision(3))}MB` : `${Number((bytes / 1e3).toPrecision(3))}KB`

/** @param input bytes of the raw input, where the source has more than the tensor, like an undecoded image */
const model = (name, { input, output } = {}) => {
  const { blocks, activations } = JSON.parse(readFileSync(join(profiles, `${name}.json`), 'utf8'))
  const sizes = [...activations]
  if (input !== undefined) sizes[0] = input
  if (output !== undefined) sizes[sizes.length - 1] = output
  const lines = blocks.map(block => `      - { work: ${ms(block.seconds)}, weights: ${kb(block.bytes)} }`)
  return `  ${name}:\n    blocks:\n${lines.join('\n')}\n    activations: [${sizes.map(kb).join(', ')}]\n`
}

const names = count => Array.from({ length: count }, (_, i) => `tx${i + 1}`)
const equal = (count, speed = 0.2, memory = '') =>
  names(count)
    .map(name => `  ${name}: { speed: ${speed}${memory === '' ? '' : `, memory: ${memory}`} }\n`)
    .join('')
const sources = list => list.map(line => `  - { ${line} }\n`).join('')

const write = (name, comment, { devices, links, models, feeds, policy = 'confluence', events }) => {
  const head = comment.map(line => `# ${line}`).join('\n')
  const text = `${head}
# Block costs: \`tributary profile\` of the zoo's models on an AMD EPYC core, which is speed 1.
devices:
${devices}links:
${links}models:
${models}sources:
${sources(feeds)}policy: ${policy}
${events === undefined ? '' : `events:\n${events.map(line => `  - { ${line} }\n`).join('')}`}`
  writeFileSync(join('scenarios', `${name}.yaml`), text)
}

const wifi = (devices, bandwidth) =>
  `  topology: none\n  media:\n    - { name: wifi, devices: [${devices.join(', ')}], bandwidth: ${bandwidth}, latency: 3ms }\n`
const full = bandwidth => `  topology: full\n  default: { bandwidth: ${bandwidth}, latency: 3ms }\n`
const RAW = 4_000_000 // an ImageNet photograph, decoded at its own size

for (const count of [3, 4, 5]) {
  write(
    `one-source-${count}-jetsons`,
    [`One camera, ${count} equal Jetson-class devices, 50 Mbit/s links. ResNet-50.`],
    {
      devices: equal(count),
      links: full('50Mbps'),
      models: model('resnet50'),
      feeds: ['name: cam, device: tx1, model: resnet50, count: 200, window: 16']
    }
  )
  write(
    `two-sources-${count}-jetsons`,
    [`Two cameras, ${count} equal Jetson-class devices, 50 Mbit/s links. ResNet-50.`],
    {
      devices: equal(count),
      links: full('50Mbps'),
      models: model('resnet50'),
      feeds: [
        'name: cam1, device: tx1, model: resnet50, count: 200, window: 16',
        'name: cam2, device: tx2, model: resnet50, count: 200, window: 16'
      ]
    }
  )
}
write(
  'heterogeneous',
  ['Two Xavier-like and three Nano-like devices, a camera on one Nano and on one Xavier. VGG-16 fits on no Nano.'],
  {
    devices:
      '  xavier1: { speed: 0.6 }\n  xavier2: { speed: 0.6 }\n' +
      ['nano1', 'nano2', 'nano3'].map(name => `  ${name}: { speed: 0.12, memory: 256MiB }\n`).join(''),
    links: full('80Mbps'),
    models: model('vgg16'),
    feeds: [
      'name: door, device: nano1, model: vgg16, count: 100, window: 16',
      'name: gate, device: xavier1, model: vgg16, count: 100, window: 16'
    ]
  }
)
write(
  'wifi-20mbps',
  ['Five Jetson-class devices on one 20 Mbit/s radio channel: every transfer takes air from all others. MobileNetV2.'],
  {
    devices: equal(5),
    links: wifi(names(5), '20Mbps'),
    models: model('mobilenetv2'),
    feeds: [
      'name: cam1, device: tx1, model: mobilenetv2, count: 200, window: 16',
      'name: cam2, device: tx2, model: mobilenetv2, count: 200, window: 16'
    ]
  }
)
write(
  'multi-hop',
  ['A chain of five: the ends reach each other only through the middle. ResNet-50, cameras at both ends.'],
  {
    devices: equal(5),
    links: '  topology: chain\n  default: { bandwidth: 50Mbps, latency: 3ms }\n',
    models: model('resnet50'),
    feeds: [
      'name: west, device: tx1, model: resnet50, count: 200, window: 16',
      'name: east, device: tx5, model: resnet50, count: 200, window: 16'
    ]
  }
)
const priority = [
  'name: alarm, device: tx1, model: resnet50, arrivals: { poisson: 1.5/s }, count: 200, window: 64, weight: 8',
  'name: archive, device: tx2, model: resnet50, arrivals: { poisson: 4.5/s }, count: 600, window: 64, weight: 1'
]
write(
  'priority-full',
  ['A time-sensitive and an ordinary source on five fully connected devices at 20 Mbit/s (after PA-MDI). ResNet-50.'],
  {
    devices: equal(5),
    links: full('20Mbps'),
    models: model('resnet50'),
    feeds: priority
  }
)
write('priority-multi-hop', ['The same two sources on a ring of five at 20 Mbit/s (after PA-MDI).'], {
  devices: equal(5),
  links: '  topology: ring\n  default: { bandwidth: 20Mbps, latency: 3ms }\n',
  models: model('resnet50'),
  feeds: priority
})
write(
  'large-inputs',
  [
    'Photographs of 4 MB as they come, on five Jetson-class devices: shipping whole inputs is what costs (after AR-MDI). ResNet-50.'
  ],
  {
    devices: equal(5),
    links: full('50Mbps'),
    models: model('resnet50', { input: RAW }),
    feeds: [
      'name: cam1, device: tx1, model: resnet50, count: 200, window: 16',
      'name: cam2, device: tx2, model: resnet50, count: 200, window: 16'
    ]
  }
)
write('small-inputs', ['CIFAR images of 12 KB on five Jetson-class devices: inputs cost nothing to ship. ResNet-56.'], {
  devices: equal(5),
  links: full('50Mbps'),
  models: model('resnet56'),
  feeds: [
    'name: cam1, device: tx1, model: resnet56, count: 500, window: 16',
    'name: cam2, device: tx2, model: resnet56, count: 500, window: 16'
  ]
})
write(
  'text',
  ['A language model over the memory of four small devices; only the last token goes back. GPT-2 shaped.'],
  {
    devices: ['a', 'b', 'c', 'd'].map(name => `  ${name}: { speed: 0.3, memory: 220MiB }\n`).join(''),
    links: full('100Mbps'),
    models: model('gpt2-small-shaped', { output: 201_028 }),
    feeds: [
      'name: chat, device: a, model: gpt2-small-shaped, count: 100',
      'name: mail, device: b, model: gpt2-small-shaped, count: 100'
    ]
  }
)
write('two-models', ['Two models on one network, three sources, one of them with two models on one device.'], {
  devices: equal(4, 0.3, '160MiB'),
  links: full('50Mbps'),
  models: model('resnet50') + model('mobilenetv2'),
  feeds: [
    'name: faces, device: tx1, model: resnet50, count: 100',
    'name: plates, device: tx1, model: mobilenetv2, count: 300',
    'name: gate, device: tx3, model: resnet50, count: 100'
  ]
})
write(
  'changing',
  ['What happens to a network in a day, in half a minute: a slow worker, a cut link, a device lost and back.'],
  {
    devices: equal(4, 0.3),
    links: full('50Mbps'),
    models: model('mobilenetv2'),
    feeds: [
      'name: cam1, device: tx1, model: mobilenetv2, count: 1200, window: 16',
      'name: cam2, device: tx2, model: mobilenetv2, count: 1200, window: 16'
    ],
    events: [
      'at: 5s, device: tx3, speed: 0.075',
      'at: 10s, link: tx1->tx4, bandwidth: 5Mbps',
      'at: 15s, device: tx4, leaves: kill',
      'at: 22s, device: tx4, joins: true'
    ]
  }
)
