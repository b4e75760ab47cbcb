/** Reading what services ask for: on a connection of its own, which waits for no writer. */
import type { ServedEntry, ServedReader } from '../../served.ts'
import type { Sqlite } from '../database.ts'
import { entriesTable, numberOf } from './tables.ts'

type Row = readonly [seq: bigint, known: bigint, kept: string | null]

/** To be asked within `db.read`. */
export function servedReader(db: Sqlite): ServedReader {
  const turns = db.prepare('SELECT turn FROM turns')
  const notes = db.prepare('SELECT name, text FROM notes WHERE name >= ? AND name < ? ORDER BY name')
  const numbers = new Map<string, number>()
  // What a table is called may be another one's name when it was dropped and made again: that is in a turn.
  let numbersOf = -1
  const turn = () => Number(turns.get()?.['turn'] ?? 0)
  const statements = new Map<number, ReturnType<Sqlite['prepare']>>()
  const statementOf = (number: number) => {
    const known = statements.get(number)
    if (known) return known
    const made = db.prepare(`SELECT seq, known, kept FROM ${entriesTable(number)} WHERE key = ?`)
    made.setReturnArrays(true)
    made.setReadBigInts(true)
    statements.set(number, made)
    return made
  }
  const numberOfTable = (table: string): number | undefined => {
    const known = numbers.get(table)
    if (known !== undefined) return known
    const number = numberOf(db, table)
    if (number !== undefined) numbers.set(table, number)
    return number
  }
  return {
    turn() {
      const now = turn()
      if (now !== numbersOf) {
        numbers.clear()
        numbersOf = now
      }
      return now
    },
    notes: (prefix) => new Map(notes.all(prefix, `${prefix}\uffff`).map((row) => [row['name'] as string, row['text'] as string])),
    entry(table, key) {
      const number = numberOfTable(table)
      if (number === undefined) return undefined
      const row = statementOf(number).get(key) as unknown as Row | undefined
      if (!row || row[2] === null) return undefined
      return { seq: Number(row[0]), known: row[1], values: JSON.parse(row[2]) as ServedEntry['values'] }
    },
    texts(table, keys) {
      const number = numberOfTable(table)
      if (number === undefined) return keys.map(() => undefined)
      const [only] = keys
      const asked = keys.length === 1 ? '' : JSON.stringify(keys)
      // SQLite's JSON ends a text where it has a zero.
      if (asked === '' || asked.includes('\\u0000')) {
        const one = oneText(db, number)
        return keys.length === 1 ? [textIn(one.get(only!))] : keys.map((key) => textIn(one.get(key)))
      }
      if (keys.length === 0) return []
      const all = textIn(allTexts(db, number).get(asked))!
      return all.split('\n').map((text) => (text === '' ? undefined : text))
    },
  }
}

const textIn = (row: unknown): string | undefined => (row as readonly (string | null)[] | undefined)?.[0] ?? undefined

function oneText(db: Sqlite, number: number): ReturnType<Sqlite['prepare']> {
  const made = db.prepare(`SELECT kept FROM ${entriesTable(number)} WHERE key = ?`)
  made.setReturnArrays(true)
  return made
}

/** In the order of the keys: the outer side of a LEFT JOIN is gone through as it comes. No line ends within a JSON text. */
function allTexts(db: Sqlite, number: number): ReturnType<Sqlite['prepare']> {
  const made = db.prepare(
    `SELECT group_concat(ifnull(entry.kept, ''), char(10)) FROM json_each(?) AS asked
     LEFT JOIN ${entriesTable(number)} AS entry ON entry.key = asked.value`,
  )
  made.setReturnArrays(true)
  return made
}
