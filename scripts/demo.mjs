// `npm run demo`: from a fresh clone to the main job on real images.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { prepare } from './prepare.mjs'

prepare()
const main = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url))
const child = spawn(process.execPath, [main, 'demo', ...process.argv.slice(2)], { stdio: 'inherit' })
// The terminal sends Ctrl-C to the child too; it stops its devices, and this waits for it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
})
