/**
 * Names of tensors as parts of file names, each different from the others: what is neither letter, digit, dot, dash
 * nor underscore becomes `_`. A name that is safe already stays as it is. Where one name ends like another behind a dot,
 * dots become `_` too: `a.b` + `.c` and `a` + `.b.c` would be one file.
 */
export const fileSafe = (names: readonly string[]): readonly string[] => {
  const safe = names.map(name => name.replace(/[^\p{L}\p{N}._-]/gu, '_'))
  const isAmbiguous = safe.some(a => safe.some(b => b.endsWith(`.${a}`)))
  const wanted = isAmbiguous ? safe.map(name => name.replaceAll('.', '_')) : safe
  const taken = new Set(wanted.filter((name, i) => name === names[i]))
  return wanted.map((name, i) => {
    if (name === names[i]) return name
    let own = name
    for (let n = 2; taken.has(own); n++) own = `${name}-${n}`
    taken.add(own)
    return own
  })
}
