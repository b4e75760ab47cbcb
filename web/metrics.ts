/** What is counted of requests, and where the store is: as OpenMetrics. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { ServedState, Serving } from '../serving/serving.ts'

export type Metrics = {
  /** Of a route as the API names it, and how long its answer took. */
  answered(route: string, status: number, tookMs: number): void
  served(set: string, version: number, rows: number): void
  text(): Promise<string>
  readonly type: string
}

const bucketsSeconds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5]

export function openMetrics(serving: Pick<Serving, 'read' | 'places'>): Metrics {
  const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>()
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const requests = new Counter({ name: 'tidemark_requests', help: 'Requests answered', labelNames: ['route', 'status'], registers })
  const seconds = new Histogram({
    name: 'tidemark_request_duration_seconds',
    help: 'From the whole request to its answer',
    labelNames: ['route'],
    buckets: bucketsSeconds,
    registers,
  })
  const rows = new Counter({ name: 'tidemark_rows_served', help: 'Rows found by their keys', labelNames: ['set', 'version'], registers })
  gauges(serving, registers)

  // With its labels bound once, a count takes a tenth of the time.
  const bound = new Map<string, { inc(by: number): void }>()
  const timed = new Map<string, { observe(value: number): void }>()
  const once = <T>(all: Map<string, T>, id: string, make: () => T): T => all.get(id) ?? all.set(id, make()).get(id)!
  return {
    answered(route, status, tookMs) {
      once(bound, `${route} ${status}`, () => requests.labels(route, String(status))).inc(1)
      once(timed, route, () => seconds.labels(route)).observe(tookMs / 1000)
    },
    served(set, version, found) {
      if (found > 0) once(bound, `${set}@${version}`, () => rows.labels(set, String(version))).inc(found)
    },
    text: () => registry.metrics(),
    type: registry.contentType,
  }
}

/** Looked at when somebody asks. */
function gauges({ read, places }: Pick<Serving, 'read' | 'places'>, registers: Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>[]): void {
  void new Gauge({
    name: 'tidemark_lag_offsets',
    help: 'What each partition has beyond what is served',
    labelNames: ['topic', 'partition'],
    registers,
    collect() {
      this.reset()
      for (const { topic, partition, next, end } of places()) this.set({ topic, partition }, Math.max(0, end - next))
    },
  })
  void new Gauge({
    name: 'tidemark_promoted_version',
    help: 'The version of each set that is served where none is named',
    labelNames: ['set'],
    registers,
    collect() {
      this.reset()
      for (const { name, promoted } of read((state: ServedState) => [...state.sets.values()]))
        if (promoted !== undefined) this.set({ set: name }, promoted)
    },
  })
}
