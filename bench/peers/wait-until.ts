const never = new Int32Array(new SharedArrayBuffer(4))
/** A timer of the system may be late by this much, in milliseconds; the rest is waited for by turning. */
const TIMER_SLACK = 0.15

/** Block this thread until `deadline` on the clock of `performance.now`, without using the processor. */
export const waitUntil = (deadline: number): void => {
  for (let left = deadline - performance.now(); left > 0; left = deadline - performance.now()) {
    if (left > TIMER_SLACK) Atomics.wait(never, 0, 0, left - TIMER_SLACK)
  }
}
