import { createMsMdi } from './ms-mdi.ts'
import type { CreatePolicy } from './policy.ts'

/**
 * `pa-mdi`, priority-aware model-distributed inference: T. Li, Seferoglu, arXiv 2412.12371.
 *
 * Stated by the source: sources have priorities; a worker serves the task of the highest priority first; a task is sent
 * only after a request-to-compute / clear-to-compute exchange with the receiver, so that many senders do not herd onto
 * the one worker that looked idle.
 * Reconstructed: where a task goes is the rule of `ms-mdi`, the predecessor that it is compared with; a receiver grants
 * one request at a time, the heaviest first; a grant ends when the task is there.
 * Our choice: the weight of a source is its priority; tasks of one priority are served by arrival at the device; what only passes through a device, or
 * goes home, needs no clearance, since it is not computed there.
 */
export const createPaMdi: CreatePolicy = host => ({
  ...createMsMdi(host),
  name: 'pa-mdi',
  asksFirst: true,
  urgency: task => task.weight
})
