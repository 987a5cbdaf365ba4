/** What making a plan is called among the jobs of a device, which say what they fail at. */
export const PLANNING_JOB = 'making a plan'
