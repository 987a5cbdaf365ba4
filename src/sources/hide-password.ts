/** Addresses in a text, without the names and passwords that they hold. */
export const hidePassword = (text: string): string =>
  text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*(?::[^\s/@]*)?@/gi, '$1***@')
