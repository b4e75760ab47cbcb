/**
 * The answer to a request for features, as text: written for speed, in one pass over the rows of each set (bench/serve.ts); its plain twin
 * is in test/features-plain.ts.
 */
import type { ServedRow, ServedState, ServedValue } from '../serving/serving.ts'
import type { FeaturesAsked } from './asked.ts'
import { keyTextOf, type Given } from './keys.ts'
import type { Plan } from './plan.ts'
import { rowInChain, type Asked } from './references.ts'

const none = '"1970-01-01T00:00:00Z"'
const present = '"PRESENT"'

type Rows = {
  readonly rows: readonly (ServedRow | undefined)[]
  /** Where in the chain each was found; undefined where all that were found are of the version itself. */
  readonly links: readonly number[] | undefined
  readonly times: string
  readonly found: number
}

/** `served` hears how many keys of each group have a row. */
export function featuresText(state: ServedState, plan: Plan, asked: FeaturesAsked, served: (group: number, found: number) => void): string {
  const { groups, columns, names } = plan
  const { entities, count } = asked
  const read: Rows[] = []
  for (let i = 0; i < groups.length; i++) {
    const rows = rowsOf(state, groups[i]!, asked)
    served(i, rows.found)
    read.push(rows)
  }
  let text = `{"metadata":{"feature_names":${JSON.stringify(names)},"feature_view_metadata":[${groups.map(versionText).join()}]`
  text += `${versionsText(groups, read)}},"results":[`
  let comma = ''
  for (const name in entities) {
    text += comma + resultText(JSON.stringify(entities[name]), repeated(present, count), repeated(none, count))
    comma = ','
  }
  for (let c = 0; c < columns.length; c++) {
    const { group, places } = columns[c]!
    const { rows, links, times } = read[group]!
    const at = places[0]!
    const values = new Array<ServedValue>(count)
    let nulls = 0
    for (let i = 0; i < count; i++) {
      const value = rows[i]?.values[links === undefined ? at : places[links[i]!]!] ?? null
      if (value === null) nulls++
      values[i] = value
    }
    // As an array, numbers become texts in a third of the time.
    text += comma + resultText(JSON.stringify(values), nulls === 0 ? repeated(present, count) : statusesOf(rows, values), times)
    comma = ','
  }
  return `${text}]}`
}

const resultText = (values: string, statuses: string, times: string): string =>
  `{"values":${values},"statuses":[${statuses}],"event_timestamps":[${times}]}`

const statusesOf = (rows: Rows['rows'], values: readonly ServedValue[]): string =>
  values.map((value, i) => (value !== null ? present : rows[i] === undefined ? '"NOT_FOUND"' : '"NULL_VALUE"')).join()

const versionText = ({ set, version }: Asked): string => `{"name":"${set}","version":${version}}`

/** Of each row, where not all are of the version that is promoted. */
function versionsText(groups: readonly Asked[], read: readonly Rows[]): string {
  const mixed = groups.flatMap(({ set }, i) =>
    read[i]!.links === undefined ? [] : [`"${set}":${JSON.stringify(read[i]!.rows.map((row) => row?.version ?? null))}`],
  )
  return mixed.length === 0 ? '' : `,"row_versions":{${mixed.join()}}`
}

function rowsOf(state: ServedState, group: Asked, { entities, count }: FeaturesAsked): Rows {
  const { set, version, key, chain } = group
  const rows: (ServedRow | undefined)[] = []
  let links: number[] | undefined
  let times = ''
  let found = 0
  const columns = key.map(({ name }) => entities[name]!)
  const [first] = columns
  // A text that is all of the key is the key.
  const isText = key.length === 1 && key[0]!.field.kind === 'text'
  for (let i = 0; i < count; i++) {
    const given = isText ? first![i] : undefined
    const text = typeof given === 'string' && given.isWellFormed() ? given : keyTextOf(key, (at): Given => columns[at]![i]!)
    let row = state.row(set, version, text)
    if (row === undefined && chain.length > 1) {
      const before = rowInChain(state, group, text)
      if (before) {
        row = before.row
        links ??= new Array<number>(count).fill(0)
        links[i] = before.link
      }
    }
    rows.push(row)
    if (row !== undefined) found++
    times += (i === 0 ? '' : ',') + (row === undefined ? none : timeText(row.atMs))
  }
  return { rows, links, times, found }
}

/** Most rows happened on few different days. */
const midnights = new Map<number, string>()
const dayMs = 86_400_000

function timeText(ms: number): string {
  const day = Math.floor(ms / dayMs)
  if (day * dayMs !== ms) return `"${momentText(ms)}"`
  const known = midnights.get(day)
  if (known !== undefined) return known
  if (midnights.size >= 100_000) midnights.clear()
  const text = `"${momentText(ms)}"`
  midnights.set(day, text)
  return text
}

/** ISO 8601, without the digits of a second where there are none. */
export const momentText = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')

const repeated = (text: string, count: number): string => (count === 0 ? '' : text + `,${text}`.repeat(count - 1))
