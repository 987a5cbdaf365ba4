/** What is shown at /metrics. */
export interface MetricsPage {
  readonly contentType: string
  text(): Promise<string>
}
