/** Where a server listens. */
export interface HostPort {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
}

/** Whether others than this machine reach it. */
export const isLoopback = ({ host }: HostPort): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.')

/** As a part of an address. */
export const writtenHost = (host: string): string => (host.includes(':') ? `[${host}]` : host)
