/**
 * The answer to a request for features, as text: written for speed, in one pass over the rows of each set (bench/serve.ts); its plain twin
 * is in test/features-plain.ts.
 */
import type { RowTexts, ServedState } from '../serving/serving.ts'
import type { FeaturesAsked } from './asked.ts'
import { keyTextOf, type Given } from './keys.ts'
import type { Plan } from './plan.ts'
import type { Asked } from './references.ts'

const none = '"1970-01-01T00:00:00Z"'
const present = '"PRESENT"'

type Rows = {
  readonly rows: readonly (RowTexts | undefined)[]
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
    let values = ''
    let nulls = 0
    for (let i = 0; i < count; i++) {
      const value = rows[i]?.[links === undefined ? at : places[links[i]!]!] ?? 'null'
      if (value === 'null') nulls++
      values += i === 0 ? value : `,${value}`
    }
    text += comma + resultText(`[${values}]`, nulls === 0 ? repeated(present, count) : statusesOf(rows, places, links), times)
    comma = ','
  }
  return `${text}]}`
}

const resultText = (values: string, statuses: string, times: string): string =>
  `{"values":${values},"statuses":[${statuses}],"event_timestamps":[${times}]}`

function statusesOf(rows: Rows['rows'], places: readonly number[], links: Rows['links']): string {
  return rows
    .map((row, i) => {
      if (row === undefined) return '"NOT_FOUND"'
      return (row[places[links?.[i] ?? 0]!] ?? 'null') === 'null' ? '"NULL_VALUE"' : present
    })
    .join()
}

const versionText = ({ set, version }: Asked): string => `{"name":"${set}","version":${version}}`

/** Of each row, where not all are of the version that is promoted. */
function versionsText(groups: readonly Asked[], read: readonly Rows[]): string {
  const mixed = groups.flatMap(({ set, chain }, i) => {
    const { rows, links } = read[i]!
    const versions = rows.map((row, at) => (row === undefined ? null : chain[links?.[at] ?? 0]!.version))
    return links === undefined ? [] : [`"${set}":${JSON.stringify(versions)}`]
  })
  return mixed.length === 0 ? '' : `,"row_versions":{${mixed.join()}}`
}

function rowsOf(state: ServedState, group: Asked, asked: FeaturesAsked): Rows {
  const { set, version, chain } = group
  const keys = keysOf(group, asked)
  const newest = state.texts(set, version, keys)
  const { rows, links } =
    chain.length > 1 && newest.includes(undefined) ? rowsInChain(state, group, keys, newest) : { rows: newest, links: undefined }
  let times = ''
  let found = 0
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]
    if (row !== undefined) found++
    times += (i === 0 ? '' : ',') + (row === undefined ? none : timeText(row[0]!))
  }
  return { rows, links, times, found }
}

function keysOf({ key }: Asked, { entities, count }: FeaturesAsked): readonly string[] {
  if (key.length === 0) return new Array<string>(count).fill('')
  const columns = key.map(({ name }) => entities[name]!)
  const first = columns[0]!
  // A text that is all of the key is the key.
  const isText = key.length === 1 && key[0]!.field.kind === 'text'
  const keys: string[] = []
  for (let i = 0; i < count; i++) {
    const given = isText ? first[i] : undefined
    keys.push(typeof given === 'string' && given.isWellFormed() ? given : keyTextOf(key, (at): Given => columns[at]![i]!))
  }
  return keys
}

/** Keys that a version has no row of are looked for in the one promoted before it. */
function rowsInChain(state: ServedState, { set, chain }: Asked, keys: readonly string[], newest: Rows['rows']) {
  const rows = [...newest]
  let links: number[] | undefined
  for (let link = 1; link < chain.length; link++) {
    const left = [...rows.keys()].filter((i) => rows[i] === undefined)
    const before = state.texts(
      set,
      chain[link]!.version,
      left.map((i) => keys[i]!),
    )
    before.forEach((row, n) => {
      if (row === undefined) return
      links ??= new Array<number>(keys.length).fill(0)
      links[left[n]!] = link
      rows[left[n]!] = row
    })
  }
  return { rows, links }
}

/** Most rows happened at few different moments: dates, for one. */
const times = new Map<string, string>()

function timeText(ms: string): string {
  const known = times.get(ms)
  if (known !== undefined) return known
  if (times.size >= 100_000) times.clear()
  const text = `"${momentText(Number(ms))}"`
  times.set(ms, text)
  return text
}

/** ISO 8601, without the digits of a second where there are none. */
export const momentText = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')

const repeated = (text: string, count: number): string => (count === 0 ? '' : text + `,${text}`.repeat(count - 1))
