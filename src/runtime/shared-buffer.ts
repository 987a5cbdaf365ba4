/**
 * Memory that the lane's thread sees too, so that what stands in it is not copied to get there. It is an `ArrayBuffer` for all
 * but transferring, and is only made for what is lent: that is never transferred.
 */
export const sharedBuffer = (size: number): ArrayBuffer => new SharedArrayBuffer(size) as unknown as ArrayBuffer
