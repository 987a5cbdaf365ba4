import { cpus } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

/** In a thread of `eachInThreads`: answers each name. @returns false in the main thread, where nothing is done */
export const answerIn = (bench: string, answer: (name: string) => Promise<unknown>): boolean => {
  if (isMainThread || workerData !== bench) return false
  parentPort!.on('message', async (name: string) => parentPort!.postMessage(await answer(name)))
  return true
}

/** What `file` answers for each name, in the order of the names, by as many threads as there are processors. */
export const eachInThreads = async <R extends { readonly name: string }>(
  file: string,
  bench: string,
  names: readonly string[]
): Promise<R[]> => {
  const todo = [...names]
  const results: R[] = []
  const work = async (): Promise<void> => {
    const worker = new Worker(file, { workerData: bench })
    try {
      for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
        results.push(
          await new Promise((resolve, reject) => {
            worker.once('message', resolve)
            worker.once('error', reject)
            worker.postMessage(name)
          })
        )
        worker.removeAllListeners('error')
        if (process.stderr.isTTY) process.stderr.write(`\r${results.length} of ${names.length} networks `)
      }
    } finally {
      await worker.terminate()
    }
  }
  await Promise.all(Array.from({ length: Math.min(cpus().length, names.length) }, work))
  return results.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name))
}
