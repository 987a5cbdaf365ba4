import { useEffect } from 'preact/hooks'

/**
 * Does something over and over while a view is shown: once it is done, and the pause is over, again. What fails is tried again.
 * @param pause milliseconds
 * @param key of what is done: with another one it begins anew
 */
export const usePolling = (work: (signal: AbortSignal) => Promise<void>, pause: number, key: string): void => {
  useEffect(() => {
    const over = new AbortController()
    let timer: ReturnType<typeof setTimeout>
    const turn = async (): Promise<void> => {
      await work(over.signal).catch(() => {}) // the line on top says when the node is away
      if (!over.signal.aborted) timer = setTimeout(turn, pause)
    }
    void turn()
    return () => {
      over.abort()
      clearTimeout(timer)
    }
  }, [key, pause])
}
