import { UserError } from '../../core/user-error.ts'

/** A sink that could not be written was stopped; it says itself, in one line, how many results that concerns. */
export class NotWritten extends UserError {}
