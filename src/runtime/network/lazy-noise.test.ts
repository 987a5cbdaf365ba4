import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { expect, it } from 'vitest'
import { lazyNoise } from './lazy-noise.ts'

const node = (encrypter: NonNullable<Libp2pOptions['connectionEncrypters']>[number]) =>
  createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [encrypter],
    streamMuxers: [yamux()]
  })

it("speaks with libp2p's own, whoever dials", async () => {
  const [ours, theirs] = await Promise.all([node(lazyNoise), node(noise())])
  try {
    const out = await ours.dial(theirs.getMultiaddrs())
    expect([out.encryption, out.remotePeer.toString()]).toEqual(['/noise', theirs.peerId.toString()])
    await out.close()
    const back = await theirs.dial(ours.getMultiaddrs())
    expect([back.encryption, back.remotePeer.toString()]).toEqual(['/noise', ours.peerId.toString()])
  } finally {
    await Promise.all([ours.stop(), theirs.stop()])
  }
})
