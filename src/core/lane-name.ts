/** Of the row in which what a device's lane runs is drawn; the first lane's is the device's own. */
export const laneName = (device: string, lane: number): string => (lane === 0 ? device : `${device}, lane ${lane + 1}`)
