/** How far a device is in its life, and why it has failed. From `draining` on it takes nothing new. */
export type DeviceLife =
  | { readonly kind: 'new' | 'starting' | 'running' | 'draining' | 'stopped' }
  | { readonly kind: 'failed'; readonly because: string }
