import { Command } from 'commander'
import { PROVIDER_CHOICES } from '../runtime/engine/providers/provider-name.ts'
import { PRESET_NAMES } from '../runtime/io/presets.ts'
import { DEFAULT_PORT } from '../runtime/network/default-port.ts'
import { POLICY_NAMES } from '../scheduler/policies.ts'
import { collect } from './collect.ts'
import { ENCODING_HELP } from './parse-encoding-choice.ts'

const EXAMPLES = `
Examples:
  The first device makes the cluster's key and prints an invite:
    $ tributary node --name shed
  A camera joins with it (- asks for it), has the model, and feeds it a folder of images:
    $ tributary node --name porch --join - --memory 64MiB \\
        --model rec.onnx:ocr --source cam=dir:./images,model=ocr,window=8 --preset ppocr-rec --sink results.jsonl
  Answer other programs, for example Triton's clients:
    $ tributary node --name shed --join-file invite.txt --serve 8000 --serve-grpc 8001
  Run each block on the fastest execution provider that this machine has:
    $ tributary node --name shed --provider auto
  Bring a model along with half of its bytes, for devices with little memory:
    $ tributary node --name porch --join - --model rec.onnx:ocr --weights ocr=fp16
  The same from a file, whose keys are the flags (docs/configuration.md):
    $ tributary node --config porch.yaml
  Look at the cluster from any device:
    $ tributary status --name porch

Whoever has an invite can join: as an argument every user of the machine sees it for a moment. A service has it from a
file (--join-file) or from the variable TRIBUTARY_JOIN, and needs it once: the device's own certificate is kept in the state
folder, and so are the addresses of the others. A source stops with Ctrl-C and goes on after its last result when it is started again with the same --state and --sink.`

/** `tributary node`: flags only; the work is in node/run-node.ts, which loads libp2p and ONNX Runtime. */
export const command = new Command('node')
  .summary('be a device: join the cluster, compute, optionally have sources')
  .description(
    'Run a device: it joins (or begins) a cluster, carries the blocks placed on it, computes, and feeds its own sources.'
  )
  .option(
    '--config <file>',
    'flags from a YAML file, its keys are the flags without dashes; the command line wins over it'
  )
  .option('--print-config', 'check all flags, print them as YAML that --config takes, and end')
  .option('--name <name>', 'what the others call this device (default: the host name)')
  .option(
    '--port <n>',
    `listen on this port of all addresses, 0 for any; the others remember it (default: ${DEFAULT_PORT})`
  )
  .option('--any-port', 'where that port is in use, take the next free one')
  .option('--listen <addr>', 'host:port or multiaddr to listen on instead, repeatable', collect, [])
  .option(
    '--join <invite-or-address>',
    'an invite, or the address of any device (with --cluster-key), repeatable; - reads it from standard input',
    collect,
    []
  )
  .option('--join-file <file>', 'the same from a file, repeatable; or from the variable TRIBUTARY_JOIN', collect, [])
  .option(
    '--print-invite',
    "print the cluster's invite also where there is no terminal: on standard output, or in events"
  )
  .option(
    '--cluster-key <file>',
    'the shared key; made there if the file is missing and nothing is joined (default: STATE/cluster.key)'
  )
  .option('--no-mdns', 'do not look for devices on the local network')
  .option('--memory <size>', 'limit for the blocks carried here, like 64MiB (default: not limited)')
  .option('--speed <factor>', 'emulate a slower device: 0.25 takes four times as long (default: not emulated)')
  .option(
    '--speed-is-real [tasks]',
    "the device really has that speed, by a CPU quota for example: runs are not slowed down; with a control group's file of threads, what runs blocks enters that group"
  )
  .option(
    '--emulate-link <peer=rate>',
    'pace and delay what is sent to a device: name=50Mbps,3ms[,medium=HOST:PORT] or name=none, * for all others, repeatable',
    collect,
    []
  )
  .option('--threads <n|auto>', "threads inside ONNX Runtime's operators; auto: what is measured to be best", '1')
  .option(
    '--lanes <n|auto>',
    'so many blocks run at once, each lane with its own copy of them (counts against --memory); auto: what is measured to serve best at the load that there is',
    '1'
  )
  .option(
    '--provider <name>',
    `what runs blocks besides the processor, where it is there and is faster: ${PROVIDER_CHOICES.join(', ')} (docs/providers.md)`,
    'cpu'
  )
  .option('--provider-options <file>', 'options of execution providers, and how far their outputs may differ, in YAML')
  .option(
    '--model <file:name>',
    'own a model: cut it and serve its blocks; the name is optional, repeatable',
    collect,
    []
  )
  .option(
    '--shape <input=dims>',
    'fix dynamic dimensions, like x=1x3x48x320 (or x=scalar), or of one model: ocr:x=1x3x48x320, repeatable',
    collect,
    []
  )
  .option(
    '--blocks <n>',
    'at most this many blocks for a model, or for one: model=N, repeatable (default: 12)',
    collect,
    []
  )
  .option(
    '--weights <[model=]format>',
    'store the weights of all own models, or of one, in fewer bits: fp16 or int8, of some blocks alone: ocr=int8@0-2,5, repeatable (docs/providers.md)',
    collect,
    []
  )
  .option('--cut-at <model=tensors>', 'cut a model at these tensors, commas between, repeatable', collect, [])
  .option(
    '--source <spec>',
    'name=dir:PATH, name=watch:PATH (a folder that grows), name=stdin: (JSON lines), name=stdin:frames,size=640x480[,pixels=rgb24|gray] name=video:INPUT[,fps=5] (a file, rtsp://, http://, /dev/video0 or any input of ffmpeg) or name=synthetic:COUNT, then [,model=M][,window=N|auto][,count=N][,weight=W][,arrivals=saturated|poisson:5/s|every:200ms][,start=5s][,patience=30s][,deadline=500ms][,late=finish|cancel][,drop=oldest|newest|none][,queue=N][,rate=5/s], repeatable; synthetic:COUNT makes data up',
    collect,
    []
  )
  .option('--preset <name>', `how files become tensors and outputs results: ${PRESET_NAMES.join(', ')}`)
  .option('--io <file>', 'the same, described in YAML')
  .option(
    '--sink <spec>',
    'results, one JSON line each: FILE[,rotate=64MiB][,keep=N], a FIFO, - for standard output, webhook:URL[,batch=N] or mqtt://HOST/TOPIC[,qos=0], these with [,timeout=10s][,backlog=1GiB][,secret-file=F]; then [,sources=A+B]; repeatable: each gets all results',
    collect,
    []
  )
  .option('--policy <name>', `${POLICY_NAMES.join(', ')}; the same on all devices`, 'confluence')
  .option('--activation-encoding <name>', `${ENCODING_HELP}; the same on all devices`, 'fp32')
  .option(
    '--audit <share>',
    'this share, 0 to 1, of the data of own sources is computed a second time by other devices; who computes otherwise than two others is set aside (docs/security.md)',
    '0'
  )
  .option('--keep-models <time>', 'a model that nobody owns and no source uses leaves the cluster after so long', '1h')
  .option(
    '--accept <name@fingerprint>',
    'what the name of a model means to this device and nothing else, whatever it was pinned to, repeatable (default: what it meant when it was first used)',
    collect,
    []
  )
  .option('--state <dir>', 'identity, key, cached blocks, progress of sources (default: ~/.tributary/NAME)')
  .option('--start-when <n>', 'sources wait until N devices are there and ready', '1')
  .option('--seed <text>', 'for random arrivals', '1')
  .option('--exit-when-done', 'stop when all own sources have all their results')
  .option(
    '--work <model=times>',
    'what the blocks of a model take at speed 1, like ocr=20ms,35ms, repeatable (default: measured)',
    collect,
    []
  )
  .option(
    '--times <model=times>',
    'what the blocks of a model take on this device at speed 1, whatever they would: emulated, like --speed, repeatable',
    collect,
    []
  )
  .option(
    '--pinned <model>',
    'the first block of this own model runs on the device of its source and nowhere else, repeatable',
    collect,
    []
  )
  .option(
    '--controlled',
    'emulated by a parent process: blocks take what their owner says, divided by --speed; sources wait for the order to start; orders come as JSON lines on standard input'
  )
  .option(
    '--trace <file>',
    'append what this device computed and sent when, and what its sources admitted and completed, as JSON lines'
  )
  .option(
    '--trace-sample <share>',
    'follow this share of the data of this node across all devices, as traces of OpenTelemetry (docs/observing.md); 0: only those whose requests bring a traceparent (default: "0.01" with --trace-endpoint)'
  )
  .option(
    '--trace-endpoint <url>',
    'where traces go, by OTLP over HTTP; give it to every device (default: OTEL_EXPORTER_OTLP_ENDPOINT, else http://localhost:4318)'
  )
  .option(
    '--dashboard <[host:]port>',
    'show the cluster live on a page there; without a host only this machine reaches it'
  )
  .option(
    '--metrics <[host:]port>',
    'answer GET /metrics there with numbers for Prometheus, as --serve and --dashboard do on their ports (docs/metrics.md); without a host only this machine reaches it'
  )
  .option(
    '--serve <[host:]port>',
    'answer other programs over HTTP, by the Open Inference Protocol; on this machine alone unless a host is given'
  )
  .option('--serve-grpc <[host:]port>', 'the same over gRPC')
  .option(
    '--serve-frigate <endpoint>',
    'answer the zmq detectors of Frigate there, like tcp://*:5555; models that they bring are cut and placed (docs/serving.md)'
  )
  .option('--serve-token-file <file>', 'who asks must bring the bearer token that stands in this file')
  .option('--serve-tls-cert <file>', 'answers are encrypted, with this certificate in PEM')
  .option('--serve-tls-key <file>', 'and its key')
  .option('--serve-models <dir>', 'clients may load the models NAME.onnx and NAME/1/model.onnx of this folder by name')
  .option('--serve-replace', 'clients may also unload and replace the models that this node was started with')
  .option('--serve-limit <size>', 'largest request, unpacked (default: 256MiB)')
  .option('--log-format <text|json>', 'lines of the log as text, or as JSON with time, level, name and message', 'text')
  .option('--log-file <file>', 'the log goes there instead of to standard error')
  .option(
    '--log-size <size>',
    'a log file that would become larger is renamed to FILE.1, that to FILE.2, ... (default: "10MiB")'
  )
  .option('--log-keep <n>', 'so many older log files stay (default: "5")')
  .option('--exit-with-parent', 'stop when standard input closes')
  .option(
    '--json-events',
    'print events as JSON lines on standard output: listening, deviceJoined, deviceLeft, deviation, ready, status (every second), failed, done'
  )
  .option('--json', 'print one JSON document, the final status, on standard output')
  .addHelpText('after', EXAMPLES)
  .action(async (_: unknown, node: Command) => {
    const { loadNodeConfig } = await import('./config/load-node-config.ts')
    const config = await loadNodeConfig(node)
    if (node.getOptionValue('printConfig') === true) return void process.stdout.write(await config.print())
    const { measureAhead } = await import('./node/measure-ahead.ts')
    using ahead = measureAhead(config.options)
    const { runNode } = await import('./node/run-node.ts')
    const load = node.getOptionValue('config') === undefined ? undefined : () => loadNodeConfig(node)
    await runNode(config, load, ahead.least)
  })
