/** Talk goes to stderr, one line a message; events for programs go to stdout as JSON lines when asked for. */
export interface NodeLog {
  say(text: string): void
  event(event: { readonly event: string; readonly [key: string]: unknown }): void
}

export const createNodeLog = (name: string, jsonEvents: boolean): NodeLog => ({
  say: text => {
    process.stderr.write(`${name}: ${text}\n`)
  },
  event: event => {
    if (jsonEvents) process.stdout.write(`${JSON.stringify(event)}\n`)
  }
})
