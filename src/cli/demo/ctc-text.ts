/**
 * Greedy CTC decoding (Graves et al., 2006) of a whole score matrix: best class at every step, repeats joined, blanks
 * (class 0) dropped. The demo's own, so that the texts that a cut model returns are checked against something else.
 *
 * @param scores steps x classes, row-major
 * @param characters by class; 0 is the blank and not used
 */
export const ctcText = (scores: Float32Array, classes: number, characters: readonly string[]): string => {
  let text = ''
  let last = 0
  for (let row = 0; row < scores.length; row += classes) {
    let best = 0
    for (let k = 1; k < classes; k++) if (scores[row + k]! > scores[row + best]!) best = k
    if (best !== 0 && best !== last) text += characters[best] ?? ''
    last = best
  }
  return text
}
