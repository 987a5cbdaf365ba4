export const BLOB_PROTOCOL = '/tributary/blob/1'

/** One answer carries at most so much: a holder that is lost in the middle costs no more. */
export const RANGE = 1 << 20
/** Of what is sent at once within a range, so that tasks on the same link get their turn. */
export const PIECE = 1 << 16
/** A request is a hash and two numbers, an answer two numbers or a few words. */
export const BLOB_MESSAGE_LIMIT = 1024
