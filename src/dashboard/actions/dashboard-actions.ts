import type { DeviceId } from '../../core/ids.ts'

/** What a page may have done by the node that serves it. Each throws an error in words where it is refused. */
export interface DashboardActions {
  /** Of any device of the cluster: it leaves once others have taken over. */
  drain(device: DeviceId): Promise<void>
  /** What people call it. */
  nameOf(device: DeviceId): string
  /** What other devices join with. */
  invite(): string
  /** Of this node alone; undefined where it has no sources. */
  readonly sources: SourceActions | undefined
}

export interface SourceActions {
  /** @param config as a config file has it: `source:` and what follows @returns names */
  add(config: string): Promise<readonly string[]>
  remove(name: string): Promise<void>
  setWeight(name: string, weight: number): Promise<void>
}

/** What a page shows of them. */
export interface ActionFacts {
  /** Why a page may do nothing; '' where it may. */
  readonly because: string
  /** Sources can be added to this node, removed from it and weighed. */
  readonly sources: boolean
}

/** A page can only look, and why. */
export interface NoActions {
  readonly because: string
}

export const actionFacts = (actions: DashboardActions | NoActions): ActionFacts =>
  'because' in actions
    ? { because: actions.because, sources: false }
    : { because: '', sources: actions.sources !== undefined }
