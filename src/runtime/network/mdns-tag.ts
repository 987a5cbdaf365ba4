/** What devices ask the local network for: our own name, so that a house's other libp2p programs are left alone. */
export const MDNS_TAG = '_tributary._udp.local'
