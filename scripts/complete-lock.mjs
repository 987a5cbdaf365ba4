// A registry mirror may lack binaries that packages offer for other platforms; npm then writes a lock file without
// them, which `npm ci` refuses, and which would leave those platforms without the binary. This adds the missing
// entries from what the lock file itself says: name and exact version in the parent's optionalDependencies.
// Run it after every change of dependencies: node scripts/complete-lock.mjs
import { readFileSync, writeFileSync } from 'node:fs'

const OS = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'win32']
const CPU = { arm64: 'arm64', aarch64: 'arm64', x64: 'x64', armv7: 'arm' }

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))
for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`
    const os = OS.find(word => name.includes(`-${word}`))
    const cpu = Object.keys(CPU).find(word => name.includes(`-${word}`))
    if (lock.packages[path] !== undefined || os === undefined || cpu === undefined || !/^\d/.test(version)) continue
    lock.packages[path] = { version, cpu: [CPU[cpu]], ...(parent.dev ? { dev: true } : {}), optional: true, os: [os] }
    process.stdout.write(`added ${name} ${version}\n`)
  }
}
const [root, ...rest] = Object.entries(lock.packages)
lock.packages = Object.fromEntries([root, ...rest.sort(([a], [b]) => (a < b ? -1 : 1))])
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
