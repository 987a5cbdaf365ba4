/** What has changed since the last plan, the first of these that has; `first`: there was none. */
export const REPLAN_CAUSES = ['first', 'devices', 'models', 'sources', 'links', 'drift'] as const

export type ReplanCause = (typeof REPLAN_CAUSES)[number]
