import { existsSync } from 'node:fs'
import { UserError } from '../../core/user-error.ts'
import { forkApart } from '../fork-apart.ts'
import { onceEnded } from '../once-ended.ts'
import type { CutAnswer, CutFacts, CutRequest } from './cut-answer.ts'

/**
 * Cut a model in a process of its own: this one goes on answering, to peers and to Ctrl-C, and what cutting took of memory
 * is the machine's again.
 * @param signal ends the process
 * @throws UserError when the file is no model that can be served
 */
export const cutApart = (request: CutRequest, signal?: AbortSignal): Promise<CutFacts> =>
  new Promise((resolve, reject) => {
    const child = forkApart(script(), [], { serialization: 'advanced', signal }) // shapes are a map
    child.once('message', (answer: CutAnswer) => {
      child.removeAllListeners()
      child.on('error', () => {}) // it has answered
      if (answer.kind === 'cut') resolve(answer.facts)
      else if (answer.kind === 'refused') reject(new UserError(answer.because, answer))
      else reject(new Error(`${request.file}: ${answer.because}`))
    })
    child.once('error', error => reject(signal?.aborted === true ? signal.reason : error))
    onceEnded(child, (code, how) =>
      reject(new Error(`${request.file}: the process that cuts it ended with ${code ?? how}; is there enough memory?`))
    )
    child.send(request)
  })

/** Node runs the built file; tests run the sources and take it from the build. */
const script = (): URL => {
  const compiled = new URL('./cut-process.js', import.meta.url)
  const built = new URL('../../../dist/src/runtime/onnx/cut-process.js', import.meta.url)
  return existsSync(compiled) ? compiled : built
}
