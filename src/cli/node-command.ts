import { Command } from 'commander'
import { collect } from './collect.ts'
import { type NodeFlags, parseNodeOptions } from './node/node-options.ts'

const EXAMPLES = `
Examples:
  The first device makes the cluster's key and prints an invite:
    $ tributary node --name shed
  A camera joins with it, has the model, and feeds it a folder of images:
    $ tributary node --name porch --join tributary1:eyJr... --memory 64MiB \\
        --model rec.onnx:ocr --source cam=dir:./images,model=ocr,window=8 --preset ppocr-rec --sink results.jsonl
  Look at the cluster from any device:
    $ tributary status --state ~/.tributary/porch

A source stops with Ctrl-C and goes on after its last result when it is started again with the same --state and --sink.`

/** `tributary node`: flags only; the work is in node/run-node.ts, which loads libp2p and ONNX Runtime. */
export const command = new Command('node')
  .summary('be a device: join the cluster, compute, optionally have sources')
  .description(
    'Run a device: it joins (or begins) a cluster, carries the blocks placed on it, computes, and feeds its own sources.'
  )
  .option('--name NAME', 'what the others call this device (default: the host name)')
  .option('--listen ADDR', 'host:port or multiaddr to listen on, repeatable (default: 0.0.0.0:0)', collect, [])
  .option('--join INVITE|ADDR', 'an invite, or the address of any device (with --cluster-key), repeatable', collect, [])
  .option(
    '--cluster-key FILE',
    'the shared key; made there if the file is missing and nothing is joined (default: STATE/cluster.key)'
  )
  .option('--no-mdns', 'do not look for devices on the local network')
  .option('--memory SIZE', 'limit for the blocks carried here, like 64MiB (default: not limited)')
  .option('--speed FACTOR', 'emulate a slower device: 0.25 takes four times as long (default: not emulated)')
  .option(
    '--emulate-link PEER=RATE[,LATENCY]',
    'pace and delay what is sent to a peer, * for all others, repeatable',
    collect,
    []
  )
  .option('--threads N', "threads inside ONNX Runtime's operators", '1')
  .option('--model FILE[:NAME]', 'own a model: cut it and serve its blocks, repeatable', collect, [])
  .option('--shape INPUT=DIMS', 'fix dynamic dimensions, like x=1x3x48x320, repeatable', collect, [])
  .option('--blocks N', 'at most this many blocks for a model', '12')
  .option(
    '--source SPEC',
    'name=dir:PATH[,model=M][,window=N][,arrivals=saturated|poisson:5/s|every:200ms], repeatable',
    collect,
    []
  )
  .option('--preset NAME', 'how files become tensors and results text: ppocr-rec, imagenet or raw')
  .option('--io FILE', 'the same, described in YAML')
  .option('--sink FILE', 'results, one JSON line each')
  .option('--policy NAME', 'local, ddi, ms-mdi or confluence; the same on all devices', 'confluence')
  .option('--state DIR', 'identity, key, cached blocks, progress of sources (default: ~/.tributary/NAME)')
  .option('--start-when N', 'sources wait until N devices are there and ready', '1')
  .option('--seed TEXT', 'for random arrivals', '1')
  .option('--exit-when-done', 'stop when all own sources have all their results')
  .option('--exit-with-parent', 'stop when standard input closes')
  .option('--json-events', 'print events as JSON lines on standard output: listening, ready, placement, done')
  .option('--json', 'print one JSON document, the final status, on standard output')
  .addHelpText('after', EXAMPLES)
  .action(async (flags: NodeFlags) => {
    const options = parseNodeOptions(flags)
    const { runNode } = await import('./node/run-node.ts')
    await runNode(options)
  })
