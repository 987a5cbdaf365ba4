import type { DeviceId } from '../../core/ids.ts'

/** Signs as this device; whoever has the id of a device can tell what it signed. */
export interface Signer {
  sign(bytes: Uint8Array): Promise<Uint8Array>
  /** Never rejects: what is no id or no signature is not valid. */
  isValid(by: DeviceId, bytes: Uint8Array, signature: Uint8Array): Promise<boolean>
}
