/**
 * Whoever reads what a command prints may go before it ends: `| head` has seen enough, a log's reader has died. Then the
 * command goes on to its end without a reader; a device above all. Where what was printed cannot be written, as on a full
 * disk, the command ends with 1.
 */
export const guardOutput = (): void => {
  for (const stream of [process.stdout, process.stderr]) {
    let isTold = false
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE' || isTold) return
      isTold = true
      process.exitCode ||= 1
      if (stream === process.stdout) process.stderr.write(`tributary: not all could be printed: ${error.message}\n`)
    })
  }
}
