import { create } from '@bufbuild/protobuf'
import { deviceId } from '../../src/core/ids.ts'
import type { Tensor } from '../../src/core/tensor.ts'
import { notice } from '../../src/runtime/device/notice.ts'
import { TaskSchema } from '../../src/runtime/generated/tributary/v1/wire_pb.ts'
import type { ArrivedTask, Network, TaskAnswer } from '../../src/runtime/ports/network.ts'
import type { HostileDeviceOptions } from '../../src/testing/hostile-device.ts'
import { type Attack, again, type Stage } from './attack.ts'
import { MEMORY } from './honest-cluster.ts'
import { type OfNet, ofNet, SOURCE } from './of-net.ts'

// Devices that load what is placed on them as any other, are given data, and do something else with them.

/** It loads all that there is, whatever was placed on it, and says that it is far faster than others: all goes there that may. */
const GREEDY = { name: 'mallory', boast: 1000, isGreedy: true, parts: { place: undefined } } as const
/** The source has to give blocks to others, each of which has room for all. */
const AUDITED = { flags: ['--audit', '1', '--memory', '64MiB'], sourceFlags: ['--memory', MEMORY] }

/** What the source's audits have come to. @returns whether the attacker is set aside for it */
const noteAudits = async ({ cluster, note }: Stage): Promise<boolean> => {
  const { audits } = await cluster.node('cam').next(() => true)
  const isCaught = audits.setAside.some(({ device }) => device === GREEDY.name)
  const caught = isCaught ? 'the attacker is set aside' : 'nobody is set aside'
  note(`${audits.done} audits, ${audits.deviations} deviated; ${caught}`)
  return isCaught
}

/** So often it may be that chance kept it from being seen. */
const UNSEEN = 20

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

const misshapen = (): Attack => {
  let net: OfNet | undefined
  let turn = 0
  const taken = taking(
    {
      name: 'results of another shape with a valid token',
      what: 'a device that is given data sends at once results of sixteen rows, of other types and names, with their tokens',
      once: 'they are recorded'
    },
    ({ task }, network) => {
      const { blocks, output } = net!
      const done = [blocks, blocks, blocks, 2 ** 31][turn % 4]!
      const [right] = output(turn % 4 === 0 ? 16 : 1)
      const wrong =
        turn % 4 === 1 ? { ...right!, type: 'int32' as const } : { ...right!, name: turn % 4 === 2 ? 'q' : 'z' }
      turn++
      const { source, datum, model, home, attempt, token, weight } = task
      const forged = create(TaskSchema, { source, datum, model, home, attempt, token, weight, done })
      network.sendTask(deviceId(home), forged, [wrong]).answered.catch(() => {})
    }
  )
  const play = async (stage: Stage): Promise<void> => {
    net = await ofNet(await stage.member(), stage)
    await taken.play(stage)
  }
  return { ...taken, play }
}

const accusing = taking(
  {
    name: 'failures with a valid token',
    what: 'a device that is given data says of each that all others have failed at it and lost it, and answers nothing',
    once: 'who is accused is set aside, and data are given up'
  },
  ({ task }, network) => {
    const { source, datum, attempt, token } = task
    // The first word of an attempt counts: that of another each time, of the home last.
    const all = [...network.peers().keys()].filter(device => device !== task.home)
    const first = Number(datum) % all.length
    for (const device of [...all.slice(first), ...all.slice(0, first), deviceId(task.home)]) {
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

/** A device that computes otherwise than others, in a cluster that audits all. */
const deviating = (
  about: Pick<Attack, 'name' | 'what' | 'once' | 'unit'>,
  how: (stage: Stage) => Partial<HostileDeviceOptions>
): Attack => {
  let isCaught = false
  let tried = 0
  return {
    ...{ ...AUDITED, ...about },
    play: async stage => {
      const count = (): void => {
        tried++
        stage.count()
      }
      await stage.device({ ...GREEDY, ...how({ ...stage, count }) })
      await untilOver(stage).catch(() => {}) // it was told to end
      isCaught = await noteAudits(stage)
    },
    fault: () => (tried > UNSEEN && !isCaught ? `it was not caught` : undefined)
  }
}

const wrongResults = deviating(
  {
    name: 'wrong results, audited',
    what: 'a device computes plausible noise, in a cluster that audits all',
    once: '700 of 800 results are wrong, and nobody notices',
    unit: 'blocks computed wrongly'
  },
  stage => ({
    spoil: run => {
      stage.count()
      return { ...run, outputs: run.outputs.map(noise) }
    }
  })
)

const lyingAuditor = deviating(
  {
    name: 'an auditor that lies',
    what: 'a device computes data rightly, and wrongly whatever others ask it to compute again for their audits',
    once: '',
    unit: 'audits answered wrongly'
  },
  stage => ({
    // Who computes a datum is not asked to audit it: it says that it is slow.
    boast: 0.001,
    takes: (arrived, honest) => {
      if (arrived.task.source === SOURCE) return honest()
      stage.count()
      for (const { data } of arrived.tensors) data.fill(63)
      return honest()
    }
  })
)

export const DEVICE_ATTACKS: readonly Attack[] = [blackHole, misshapen(), accusing, wrongResults, lyingAuditor]
