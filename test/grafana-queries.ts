import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What the panels of deploy/grafana/tributary.json ask Prometheus for, with Grafana's variables filled in. */
export const grafanaQueries = async (): Promise<string[]> => {
  const file = join(import.meta.dirname, '..', 'deploy', 'grafana', 'tributary.json')
  const { panels } = JSON.parse(await readFile(file, 'utf8')) as {
    readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[]
  }
  return panels
    .flatMap(({ targets = [] }) => targets)
    .map(({ expr }) => expr.replaceAll('$__rate_interval', '1m').replaceAll('$job', '.+'))
}
