import type { Endpoint } from '../runtime/parse-endpoint.ts'

/** Whether nobody but this machine reaches it. */
export const isLoopback = ({ host }: Endpoint): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.')
