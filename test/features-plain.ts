/** The plain twin of web/features-text.ts: an answer to a request for features, as an object made column by column. */
import type { ServedRow, ServedState } from '../serving/serving.ts'
import { keyFields } from '../feature-defs/keys.ts'

type Body = { readonly features: readonly string[]; readonly entities: Readonly<Record<string, readonly string[]>> }

/** Features are SET:FEATURE or SET@VERSION:FEATURE; keys are texts without commas. */
export function featuresPlain(state: ServedState, { features, entities }: Body) {
  const count = Object.values(entities)[0]?.length ?? 1
  const none = '1970-01-01T00:00:00Z'
  const keyColumns = Object.entries(entities).map(([name, values]) => ({
    name,
    result: { values, statuses: values.map(() => 'PRESENT'), event_timestamps: values.map(() => none) },
  }))
  const asked = features.map((said) => {
    const [, set, version, feature] = /^(.*?)(?:@(\d+))?:(.*)$/.exec(said)!
    const { versions, chain } = state.sets.get(set!)!
    const links = version === undefined ? chain : [Number(version)]
    const rows = Array.from({ length: count }, (_, i): ServedRow | undefined => {
      const key = keyFields(versions.get(links[0]!)!.per).map((name) => entities[name]![i]!)
      return links.map((link) => state.row(set!, link, key.join(','))).find((row) => row !== undefined)
    })
    const cells = rows.map((row) => {
      if (!row) return { value: null, status: 'NOT_FOUND', at: none }
      const at = versions.get(row.version)!.features.findIndex(({ name }) => name === feature)
      const value = row.values[at] ?? null
      return { value, status: value === null ? 'NULL_VALUE' : 'PRESENT', at: new Date(row.atMs).toISOString().replace('.000', '') }
    })
    return { set: set!, version: links[0]!, isPinned: version !== undefined, feature: feature!, rows, cells }
  })
  const read = new Map(asked.map((one) => [`${one.set}@${one.version} ${one.isPinned}`, one]))
  const mixed = [...read.values()].filter(({ rows, version }) => rows.some((row) => row && row.version !== version))
  return {
    metadata: {
      feature_names: [...keyColumns.map(({ name }) => name), ...asked.map(({ feature }) => feature)],
      feature_view_metadata: [...read.values()].map(({ set, version }) => ({ name: set, version })),
      ...(mixed.length > 0 && {
        row_versions: Object.fromEntries(mixed.map(({ set, rows }) => [set, rows.map((row) => row?.version ?? null)])),
      }),
    },
    results: [
      ...keyColumns.map(({ result }) => result),
      ...asked.map(({ cells }) => ({
        values: cells.map(({ value }) => value),
        statuses: cells.map(({ status }) => status),
        event_timestamps: cells.map(({ at }) => at),
      })),
    ],
  }
}
