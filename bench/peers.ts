// Against a peer written the obvious way: hop for hop, then as a whole system. Each part is a process of its own.
// Words: `hop` or `system` for one part alone, and of the second `saturated`, `loaded` or `equal` for one load alone.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const PARTS = ['hop', 'system']
const asked = process.argv.slice(2)
const loads = asked.filter(word => !PARTS.includes(word))
for (const part of PARTS.filter(name => asked.length === 0 || asked.includes(name))) {
  const file = fileURLToPath(new URL(`./peers/${part}.js`, import.meta.url))
  const { status } = spawnSync(process.execPath, [file, ...(part === 'system' ? loads : [])], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
