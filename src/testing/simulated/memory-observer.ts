import type { DeviceObserver } from '../../runtime/ports/device-observer.ts'

/** What a device did, as it was told. */
export type Observed =
  | ({ readonly did: 'ran' } & Parameters<DeviceObserver['ran']>[0])
  | ({ readonly did: 'sent' } & Parameters<DeviceObserver['sent']>[0])
  | ({ readonly did: 'admitted' } & Parameters<DeviceObserver['admitted']>[0])
  | ({ readonly did: 'ended' } & Parameters<DeviceObserver['ended']>[0])

/** Keeps all of it. */
export const memoryObserver = (): DeviceObserver & { readonly told: readonly Observed[] } => {
  const told: Observed[] = []
  return {
    told,
    ran: event => void told.push({ did: 'ran', ...event }),
    sent: event => void told.push({ did: 'sent', ...event }),
    admitted: event => void told.push({ did: 'admitted', ...event }),
    ended: event => void told.push({ did: 'ended', ...event })
  }
}
