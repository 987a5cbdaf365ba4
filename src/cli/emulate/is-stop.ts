/** Whether an error is what an abort makes of work under way: its reason, or Node's own AbortError. */
export const isStop = (error: unknown, signal: AbortSignal): boolean =>
  signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'))
