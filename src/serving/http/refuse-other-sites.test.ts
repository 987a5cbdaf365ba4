import { expect, test } from 'vitest'
import { refuseOtherSites } from './refuse-other-sites.ts'

const own = { host: '127.0.0.1:8000' }
const browser = { ...own, 'sec-fetch-site': 'same-origin' }

test.for([
  ['a program', own, false],
  ['a program that says no name', {}, false],
  ['a program that came by a name of the local network', { host: 'Porch.lan:8000' }, false],
  ['a program that came by the name of a service', { host: 'tributary.cameras.svc.cluster.local:8000' }, false],
  ['a program that came by a name without dots', { host: 'porch:8000' }, false],
  ['a program that came by the name of the machine', { host: 'porch.example' }, false],
  ['an address of six', { host: '[::1]:8000' }, false],
  ['the own page', { ...browser, origin: 'http://127.0.0.1:8000' }, false],
  ['the own page by localhost', { ...browser, host: 'localhost:8000' }, false],
  ['the own page by a name of the local network', { ...browser, host: 'porch.local:8000' }, false],
  ['an address that was typed', { ...own, 'sec-fetch-site': 'none' }, false],
  ['a link that was followed', { ...own, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, false],
  ['the own page by a name, with a token', { ...browser, host: 'gate.example:8000' }, true]
] as const)('%s is answered', ([, headers, hasToken]) => {
  expect(() => refuseOtherSites({ headers, hasToken, ownName: 'porch.Example' })).not.toThrow()
})

test.for([
  ['another page', { ...own, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }, true],
  ['another page of the same machine', { ...own, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }, true],
  ['another origin, of a browser that says no more', { ...own, origin: 'http://evil.example' }, true],
  ['an origin that is none', { ...own, origin: 'null' }, true],
  ['a page whose name was made to point here', { ...browser, host: 'evil.example:8000' }, false],
  ['such a page in a browser that says nothing', { host: 'evil.example:8000' }, false],
  ['a name that looks like an address', { host: '127.0.0.1.evil.example' }, false],
  ['a name that ends as a local one does not', { host: 'evilocal.example' }, false]
] as const)('%s is refused', ([, headers, hasToken]) => {
  expect(() => refuseOtherSites({ headers, hasToken, ownName: 'porch.Example' })).toThrow(
    /of other sites|by an address/
  )
})
