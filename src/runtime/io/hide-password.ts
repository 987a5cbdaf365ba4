/** Addresses in a text, without the names and passwords that they hold. A password may hold `/` and `@`: what has one ends at the last `@`, rather too late than too early. */
export const hidePassword = (text: string): string =>
  text.replace(/([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/:@]*:\S*@|[^\s/]*@)/gi, '$1***@')
