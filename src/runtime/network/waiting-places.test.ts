import { expect, test } from 'vitest'
import { WaitingPlaces } from './waiting-places.ts'

test('of the host that has most places the one goes that has waited longest; who comes last stays', () => {
  const gone: string[] = []
  const places = new WaitingPlaces<{ readonly remoteAddr: string }>(4)
  const enter = (remoteAddr: string) => {
    const one = { remoteAddr }
    places.enter(one, () => gone.push(remoteAddr))
    return one
  }
  enter('/ip4/10.0.0.1/tcp/1')
  const all = [1, 2, 3].map(port => enter(`/ip4/10.6.6.6/tcp/${port}`))
  expect(gone).toEqual([])
  enter('/ip4/10.6.6.6/tcp/4')
  enter('/ip4/10.0.0.2/tcp/1')
  expect(gone).toEqual(['/ip4/10.6.6.6/tcp/1', '/ip4/10.6.6.6/tcp/2'])
  places.leave(all[2]!)
  enter('/ip4/10.0.0.3/tcp/1')
  expect(gone).toHaveLength(2)
})
