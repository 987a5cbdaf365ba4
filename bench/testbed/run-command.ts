import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Run a program of the system. @throws Error with its last words */
export const runCommand = async (program: string, ...words: readonly string[]): Promise<string> => {
  try {
    return (await execute(program, [...words])).stdout
  } catch (error) {
    const { stderr, message } = error as { readonly stderr?: string; readonly message: string }
    const because = (stderr ?? '').trim() || message
    throw new Error(`${program} ${words.join(' ')}: ${because.split('\n').at(-1)}`)
  }
}

/** Several lines for `ip -batch` or `tc -batch`, in one process. @throws Error with its last words */
export const runBatch = async (program: string, flags: readonly string[], lines: readonly string[]): Promise<void> => {
  const running = execute(program, [...flags, '-batch', '-'])
  running.child.stdin!.end(`${lines.join('\n')}\n`)
  await running.catch((error: { readonly stderr?: string; readonly message: string }) => {
    throw new Error(`${program} ${flags.join(' ')}: ${(error.stderr ?? '').trim() || error.message}`)
  })
}
