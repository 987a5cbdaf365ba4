/**
 * What a source asks for, against the others.
 * @param rate of its arrivals, data per second; undefined where it always has the next datum ready
 */
export const demandOf = (rate: number | undefined): number => rate ?? 1
