/** Addresses in a text, without the names and passwords that they hold. A password may hold `@`: the last one before a slash counts. */
export const hidePassword = (text: string): string => text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/]*@/gi, '$1***@')
