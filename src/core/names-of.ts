/** Names with commas between, as several options take them. */
export const namesOf = (text: string): readonly string[] => text.split(',').map(name => name.trim())
