import { create } from '@bufbuild/protobuf'
import { deviceId } from '../../src/core/ids.ts'
import type { Tensor } from '../../src/core/tensor.ts'
import { notice } from '../../src/runtime/device/notice.ts'
import { TaskSchema } from '../../src/runtime/generated/tributary/v1/wire_pb.ts'
import type { BlockRun } from '../../src/runtime/ports/engine.ts'
import type { ArrivedTask, Network, TaskAnswer } from '../../src/runtime/ports/network.ts'
import { type Attack, again, type Stage } from './attack.ts'
import { ofNet, SOURCE } from './of-net.ts'

// Devices that load what is placed on them as any other, are given data, and do something else with them.

/** Memory without bound, and faster than others: all goes there that may. */
const GREEDY = { name: 'mallory', parts: { place: undefined } } as const
const WITH_AUDITS = ['--audit', '1', '--memory', '64MiB']

/** A device until the end. */
const untilOver = ({ signal }: Stage): Promise<void> => again(signal, 0.1, () => {})

const taking = (
  about: Pick<Attack, 'name' | 'what' | 'once'>,
  act: (arrived: ArrivedTask, network: Network, stage: Stage) => void | Promise<void>
): Attack => ({
  ...{ unit: 'data that it was given', ...about },
  play: async stage => {
    const takes = (arrived: ArrivedTask, _: () => TaskAnswer, network: Network): TaskAnswer => {
      stage.count()
      void act(arrived, network, stage)
      return { kind: 'accepted' }
    }
    await stage.device({ ...GREEDY, takes })
    await untilOver(stage)
  }
})

const blackHole = taking(
  {
    name: 'a black hole',
    what: 'a device that is given data takes each, says so again and again, and answers nothing',
    once: '17 results in 31 s; 6 in 45 s where it says again that it has them'
  },
  async ({ task }, network, { signal }) => {
    const { source, datum, attempt, done, token } = task
    await again(signal, 0.5, () =>
      network.notify(deviceId(task.home), notice('custody', { source, datum, attempt, done, token }))
    )
  }
)

const misshapen: Attack = {
  name: 'results of another shape with a valid token',
  what: 'a device that is given data sends at once results of sixteen rows, of other types and names, with their tokens',
  once: 'they are recorded',
  unit: 'results',
  play: async stage => {
    const net = await ofNet(await stage.member(), stage)
    let turn = 0
    const takes = ({ task }: ArrivedTask, _: () => TaskAnswer, network: Network): TaskAnswer => {
      const done = [net.blocks, net.blocks, net.blocks, 2 ** 31][turn % 4]!
      const [right] = net.output(turn % 4 === 0 ? 16 : 1)
      const wrong =
        turn % 4 === 1 ? { ...right!, type: 'int32' as const } : { ...right!, name: turn % 4 === 2 ? 'q' : 'z' }
      turn++
      stage.count()
      const { source, datum, model, home, attempt, token, weight } = task
      const forged = create(TaskSchema, { source, datum, model, home, attempt, token, weight, done })
      network.sendTask(deviceId(home), forged, [wrong]).answered.catch(() => {})
      return { kind: 'accepted' }
    }
    await stage.device({ ...GREEDY, takes })
    await untilOver(stage)
  }
}

const accusing = taking(
  {
    name: 'failures with a valid token',
    what: 'a device that is given data says of each that all others have failed at it and lost it, and answers nothing',
    once: 'who is accused is set aside, and data are given up'
  },
  ({ task }, network) => {
    const { source, datum, attempt, token } = task
    for (const device of network.peers().keys()) {
      const about = { source, datum, attempt, token }
      const said = { device, block: 0, because: 'does not compute' }
      network.notify(deviceId(task.home), notice('failure', { ...about, ...said }))
      network.notify(deviceId(task.home), notice('lost', { ...about, device }))
    }
  }
)

/** Of the same size, and as likely. */
const noise = (tensor: Tensor): Tensor => {
  const values = new Float32Array(tensor.data.slice().buffer)
  for (const [i, value] of values.entries()) values[i] = 0.5 * value + 0.1
  return { ...tensor, data: new Uint8Array(values.buffer) }
}

const wrongResults: Attack = {
  name: 'wrong results, audited',
  what: 'a device computes plausible noise, in a cluster that audits all',
  once: '700 of 800 results are wrong, and nobody notices',
  unit: 'blocks computed wrongly',
  flags: WITH_AUDITS,
  play: async stage => {
    const spoil = (run: BlockRun): BlockRun => {
      stage.count()
      return { ...run, outputs: run.outputs.map(noise) }
    }
    await stage.device({ ...GREEDY, spoil })
    await untilOver(stage)
  }
}

const lyingAuditor: Attack = {
  name: 'an auditor that lies',
  what: 'a device computes data rightly, and wrongly whatever others ask it to compute again for their audits',
  once: '',
  unit: 'audits answered wrongly',
  flags: WITH_AUDITS,
  play: async stage => {
    const takes = (arrived: ArrivedTask, honest: () => TaskAnswer): TaskAnswer => {
      if (arrived.task.source === SOURCE) return honest()
      stage.count()
      for (const { data } of arrived.tensors) data.fill(63)
      return honest()
    }
    await stage.device({ ...GREEDY, takes })
    await untilOver(stage)
  }
}

export const DEVICE_ATTACKS: readonly Attack[] = [blackHole, misshapen, accusing, wrongResults, lyingAuditor]
