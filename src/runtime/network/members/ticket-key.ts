/** By which a ticket is told from others. @param id of it */
export const ticketKey = (id: Uint8Array): string => Buffer.from(id).toString('base64')
