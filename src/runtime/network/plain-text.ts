/** What a stranger wrote, fit for one line of a log: no control characters, no more than `limit` characters. */
export const plainText = (text: string, limit: number): string =>
  text
    .slice(0, 4 * limit)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, limit)
