/** What devices and sources may be called: file names, log lines and lists are made of it. */
export const NAME_PATTERN = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,62}$/u

export const NAME_WORDS = 'letters, digits, dot, dash and underscore, at most 63, starting with a letter or digit'
