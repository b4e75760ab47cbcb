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
      let number = numbers.get(table)
      if (number === undefined) {
        number = numberOf(db, table)
        if (number === undefined) return undefined
        numbers.set(table, number)
      }
      const row = statementOf(number).get(key) as unknown as Row | undefined
      if (!row || row[2] === null) return undefined
      return { seq: Number(row[0]), known: row[1], values: JSON.parse(row[2]) as ServedEntry['values'] }
    },
  }
}
