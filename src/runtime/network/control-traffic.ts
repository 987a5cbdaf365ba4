import { channel } from 'node:diagnostics_channel'

/** What devices say beside data, for whoever measures it; with nobody there it costs nothing. */
export interface ControlTraffic {
  /** The kind of the message; of notices, "notice.report". */
  readonly kind: string
  /** Before it is encrypted. */
  readonly bytes: number
}

/** Told a `ControlTraffic` for each message that is sent, and for what comes by gossip as it comes (`heard.gossip`). */
export const CONTROL_TRAFFIC = channel('tributary:control')
