import type { Endpoint } from './parse-endpoint.ts'

/** As it stands in an address: an IPv6 address in brackets. */
export const endpointText = ({ host, port }: Endpoint): string => `${host.includes(':') ? `[${host}]` : host}:${port}`
