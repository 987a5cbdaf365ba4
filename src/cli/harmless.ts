/** Text for a terminal, with names in it that others chose: nothing in it moves the cursor or turns the writing round. */
export const harmless = (text: string): string => text.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
