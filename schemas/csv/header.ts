/** Finds the columns that a record needs by their names in the header, in whatever order they stand there. */
import { Problem } from '../../utilities/values/problem.ts'
import type { RecordSchema } from '../record.ts'
import type { FileColumns } from './draft.ts'

type HeaderOptions = {
  readonly place: string
  readonly delimiter: string
  /** A field that may be null need not be there: the file is of a time when the record had no such field. */
  readonly mayLack?: boolean
}

export function columnsFor({ name, fields }: RecordSchema, names: readonly string[], options: HeaderOptions): FileColumns {
  const { place, mayLack = false } = options
  if (names.length === 1 && names[0] === '')
    throw new Problem(
      `${place} has an empty line where its header should be`,
      `It needs the columns ${listed(Object.values(fields).map(({ csv }) => csv))}.`,
    )
  const needed = Object.entries(fields)
  const twice = needed.find(([, { csv }]) => names.indexOf(csv) !== names.lastIndexOf(csv))
  if (twice)
    throw new Problem(`${place} has two columns ${shown(twice[1].csv)}, and ${name} needs one`, 'Rename one of them in its header.')
  const shared = needed.find(([, { csv }], i) => needed.findIndex(([, other]) => other.csv === csv) < i)
  if (shared)
    throw new Problem(`${name} has two fields from the column ${shown(shared[1].csv)}`, 'Leave one of them out of the definition.')
  const lacking = needed.filter(([, { csv }]) => !names.includes(csv))
  const missing = lacking.filter(([, { nullable }]) => !(mayLack && nullable)).map(([, { csv }]) => csv)
  if (missing.length > 0) throw without(missing, name, names, options)
  const byColumn = new Map(needed.map(([field, { csv }]) => [csv, field]))
  return { names, fields: names.map((csv) => byColumn.get(csv) ?? null), lacking: lacking.map(([field]) => field) }
}

function without(missing: readonly string[], record: string, names: readonly string[], { place, delimiter }: HeaderOptions): Problem {
  const what = `${place} has no ${missing.length === 1 ? 'column' : 'columns'} ${listed(missing)}, which ${record} needs`
  const [only = ''] = names
  const other = [',', ';', '\t', '|'].find((one) => one !== delimiter && only.includes(one))
  if (names.length === 1 && other !== undefined)
    return new Problem(
      what,
      `Its header is one column, ${shown(only)}: perhaps its delimiter is ${shown(other)}. ` +
        'Say so with --delimiter, or as "delimiter" of its source in the config.',
    )
  const close = [...new Set(missing.slice(0, 3).flatMap((one) => closest(one, names)))]
  const there = close.length > 0 ? `The closest there: ${listed(close)}.` : `It has ${listed(names)}.`
  return new Problem(what, `${there} Check that it is the right file, or say in the definition which column a field is from.`)
}

const listed = (names: readonly string[]): string => {
  const some = names.slice(0, 6).map(shown).join(', ')
  return names.length > 6 ? `${some} and ${names.length - 6} more` : some
}

const shown = (name: string): string =>
  `"${(name.length > 60 ? `${name.slice(0, 60)}…` : name).replace(/\p{Cc}/gu, (one) => (one === '\t' ? '\\t' : '\ufffd'))}"`

/** The names that a slip of the hand, or another way of writing words, has made of this one; the closest first. */
function closest(name: string, names: readonly string[]): readonly string[] {
  const plain = plainly(name)
  return names
    .filter((one) => one.length <= 200)
    .map((one) => ({ one, away: distance(plain, plainly(one)) }))
    .filter(({ one, away }) => away <= Math.max(1, Math.floor(plain.length / 3)) || isPart(plain, plainly(one)))
    .sort((a, b) => a.away - b.away)
    .slice(0, 2)
    .map(({ one }) => one)
}

const plainly = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
const isPart = (a: string, b: string) => Math.min(a.length, b.length) > 2 && (a.includes(b) || b.includes(a))

/** How many letters must be put in, taken out or changed. */
function distance(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 0; i < a.length; i++) {
    const row = [i + 1]
    for (let j = 0; j < b.length; j++) row.push(Math.min(row[j]! + 1, before[j + 1]! + 1, before[j]! + (a[i] === b[j] ? 0 : 1)))
    before = row
  }
  return before[b.length]!
}
