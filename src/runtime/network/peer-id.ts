import { peerIdFromString } from '@libp2p/peer-id'

/** Whether the text is the id of a libp2p peer. */
export const isPeerId = (text: string): boolean => {
  try {
    peerIdFromString(text)
    return true
  } catch {
    return false
  }
}
