import { RequestDesk } from '../src/runtime/device/requests/request-desk.ts'
import type { MemoryDevice } from '../src/testing/simulated/memory-device.ts'

/** Where requests are taken at a device in memory, in its time. */
export const deskAt = ({ device, clock }: MemoryDevice): RequestDesk =>
  new RequestDesk({
    ...{ device, deviceName: device.view.self as string, life: '1' },
    ...{ clock, wallTime: () => clock.now(), say: () => {} }
  })
