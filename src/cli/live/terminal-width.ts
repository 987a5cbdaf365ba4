import { WIDTH } from '../../report/fold-text.ts'

/** Columns of the terminal that is written to, now; what is no terminal has as many as the narrowest. */
export const terminalWidth = ({ columns = WIDTH }: { readonly columns?: number }): number => Math.max(WIDTH, columns)
