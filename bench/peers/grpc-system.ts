import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { generateCertificate } from '@libp2p/tls/utils'
import { createIdentity } from '../../src/runtime/network/identity.ts'
import type { Certificate, RelayOptions } from './relay.ts'
import type { Placed, Result, System, SystemJob } from './system-job.ts'

export interface GrpcVariant {
  readonly direction: RelayOptions['direction']
  readonly isSecret: boolean
  /**
   * What a slower device takes longer is slept without blocking the event loop: on a real slower device the loop would be
   * blocked for all of it.
   */
  readonly isLoopFree: boolean
}

export type ToDevice =
  | {
      readonly kind: 'open'
      readonly self: number
      readonly job: SystemJob
      readonly placement: Placed
      readonly variant: GrpcVariant
      readonly certificate: Certificate | undefined
    }
  | { readonly kind: 'connect'; readonly ports: readonly (readonly [number, number])[] }
  | { readonly kind: 'begin' }

export type FromDevice =
  | { readonly port: number }
  | { readonly isReady: true }
  | { readonly source: number; readonly result: Result }

/** A process for each device of the peer, with the placement that it is given. */
export const startGrpc = async (job: SystemJob, placement: Placed, variant: GrpcVariant): Promise<System> => {
  const certificate = variant.isSecret ? await generateCertificate(await createIdentity()) : undefined
  const script = fileURLToPath(new URL('./grpc-device.js', import.meta.url))
  const devices = job.devices.map(() => fork(script))
  const tell = (n: number, order: ToDevice): boolean => devices[n]!.send(order)
  const opened = devices.map(device => said<{ port: number }>(device))
  for (const self of devices.keys()) tell(self, { kind: 'open', self, job, placement, variant, certificate })
  const ports = (await Promise.all(opened)).map(({ port }, n) => [n, port] as const)
  const connected = devices.map(device => said(device))
  for (const self of devices.keys()) tell(self, { kind: 'connect', ports: ports.filter(([n]) => n !== self) })
  await Promise.all(connected)
  const results: Result[][] = job.sources.map(() => [])
  for (const device of devices) {
    device.on('message', (word: FromDevice) => {
      if ('result' in word) results[word.source]!.push(word.result)
    })
  }
  return {
    placement,
    pids: devices.map(({ pid }) => pid!),
    begin: () => {
      for (const n of devices.keys()) tell(n, { kind: 'begin' })
    },
    results: async () => results.map(own => [...own]),
    stop: async () => {
      const ended = devices.map(device => once(device, 'exit'))
      for (const device of devices) device.kill('SIGKILL')
      await Promise.all(ended)
    }
  }
}

/** The next thing it says. */
const said = async <T>(device: ChildProcess): Promise<T> => {
  const ended = once(device, 'exit').then(([how]) => Promise.reject(new Error(`a gRPC device ended (${how})`)))
  ended.catch(() => {})
  const [word] = (await Promise.race([once(device, 'message'), ended])) as [T]
  return word
}
