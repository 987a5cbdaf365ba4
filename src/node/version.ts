import { existsSync, readFileSync } from 'node:fs'

/** Above this file, in the package as it is installed and in the repository alike. */
const PLACES = ['../../../package.json', '../../package.json'].map(path => new URL(path, import.meta.url))

/** Of this package: what package.json says, and nothing else does. */
export const VERSION: string = JSON.parse(readFileSync(PLACES.find(place => existsSync(place))!, 'utf8')).version
