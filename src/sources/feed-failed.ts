/** What brings the items of one source cannot go on; nobody has used anything wrongly, and all other sources do. */
export class FeedFailed extends Error {
  override readonly name = 'FeedFailed'
}
