import { nearest } from '../core/nearest.ts'
import { UserError } from '../core/user-error.ts'
import type { LogLevel } from '../runtime/device/log-level.ts'

/** One line for people. */
export interface LogLine {
  /** How grave: `warn` is for what somebody should look at, `error` for what ends the device. */
  readonly level: LogLevel
  /** One line, without time and name. */
  readonly text: string
}

/** Another device of the cluster. */
export interface OtherDevice {
  /** Its peer id. */
  readonly id: string
  /** Its name; others may have the same. */
  readonly name: string
}

/** What a cluster tells a program, by name. */
export interface ClusterEvents {
  /** A line for people. */
  readonly log: LogLine
  /** What is placed is loaded everywhere: sources begin. */
  readonly ready: object
  /** Another device is a member now. */
  readonly deviceJoined: OtherDevice
  /** Another device is a member no more, and why. */
  readonly deviceLeft: OtherDevice & { readonly because: string }
  /** What a device does not survive has happened to this one, or its invite is good no more: it stops. */
  readonly failed: { readonly because: string }
  /** This device has stopped, whoever asked for it. */
  readonly stopped: object
}

/** What `cluster.on` can listen to. */
export type EventName = keyof ClusterEvents

const EVENT_NAMES = ['log', 'ready', 'deviceJoined', 'deviceLeft', 'failed', 'stopped'] as const satisfies EventName[]

type Listener<E extends EventName> = (event: ClusterEvents[E]) => void

const unknownEvent = (name: unknown): UserError => {
  const near = nearest(String(name), EVENT_NAMES)
  return new UserError(
    `on("${name}"): there is no such event${near === undefined ? '' : `, did you mean "${near}"?`} (known: ${EVENT_NAMES.join(', ')})`,
    { code: 'badOption', facts: { option: 'event', event: String(name) } }
  )
}

/** Listeners by event. What one of them throws is told in the log, and nobody else is the worse for it. */
export class EventHub {
  readonly #listeners = new Map<EventName, Set<Listener<never>>>()

  /** @returns how to stop listening @throws UserError `badOption` where there is no such event */
  on<E extends EventName>(name: E, listener: Listener<E>): () => void {
    if (!EVENT_NAMES.includes(name)) throw unknownEvent(name)
    if (typeof listener !== 'function')
      throw new UserError(`on("${name}"): the listener must be a function, not ${JSON.stringify(listener)}`, {
        code: 'badOption',
        facts: { option: 'listener' }
      })
    const all = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, all.add(listener as Listener<never>))
    return () => void all.delete(listener as Listener<never>)
  }

  emit<E extends EventName>(name: E, event: ClusterEvents[E]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])] as Listener<E>[]) {
      try {
        listener(event)
      } catch (error) {
        if (name !== 'log') this.emit('log', { level: 'error', text: `a listener of "${name}" failed: ${error}` })
      }
    }
  }
}
