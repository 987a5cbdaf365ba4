import type { Finding } from './finding.ts'

/** As package.json asks for it. */
const NEEDED = [20, 19] as const

export const checkNode = async (version = process.versions.node): Promise<Finding> => {
  const [major, minor] = version.split('.').map(Number) as [number, number]
  const isEnough = major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])
  const found = `Node.js ${version} on ${process.platform} ${process.arch}`
  return isEnough
    ? { check: 'Node.js', state: 'ok', found }
    : { check: 'Node.js', state: 'todo', found, remedy: `install Node.js ${NEEDED.join('.')} or newer` }
}
