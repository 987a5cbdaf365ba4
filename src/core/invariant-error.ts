/**
 * What must always hold does not: the program is wrong, and going on could lose data or count them twice. Whoever runs
 * jobs that go on after errors does not go on after this one.
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}
