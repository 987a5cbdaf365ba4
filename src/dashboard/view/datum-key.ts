/** Tells data of all sources apart. */
export const datumKey = ({ source, datum }: { readonly source: string; readonly datum: number }): string =>
  `${datum} of ${source}`
