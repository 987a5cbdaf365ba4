import { UserError } from '../../core/user-error.ts'

/** An item that is not there or cannot be read at present: it may be again, so nothing is said of what is in it. */
export class ItemUnavailable extends UserError {}
