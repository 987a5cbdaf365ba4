import type { SourceRun } from './run-report.ts'

/** "80", "80 of 100", "80 of 100, 20 dropped, 5 late": how many results a source has. */
export const describeCompleted = ({ admitted, completed, dropped, late = 0 }: SourceRun): string =>
  [
    completed === admitted ? `${completed}` : `${completed} of ${admitted}`,
    ...(dropped > 0 ? [`${dropped} dropped`] : []),
    ...(late > 0 ? [`${late} late`] : [])
  ].join(', ')
