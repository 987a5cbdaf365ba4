import type { ChildProcess } from 'node:child_process'

const children = new Set<ChildProcess>()

// Whatever ends this process short of kill -9 ends its devices too; for kill -9 they watch their standard input.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

let hasBegun = false

/** Whether a device was ever started: until then there is nothing that has to be asked to stop. */
export const hadChildren = (): boolean => hasBegun

/** No child outlives this process. */
export const keepWatch = (child: ChildProcess): void => {
  hasBegun = true
  children.add(child)
  child.once('exit', () => children.delete(child))
}
