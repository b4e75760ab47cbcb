/** One write of the store that services read, in one transaction; written for speed: keys in order, many rows a statement. */
import type { EntryLot, ServedWork } from '../../served.ts'
import { textsOf } from '../../values/cell-text.ts'
import { columnOf } from '../../values/columns.ts'
import { jsonOf } from '../../values/json-cells.ts'
import type { Sqlite } from '../database.ts'
import { dropTable, entriesTable, makeTable, numberOf } from './tables.ts'

export function writeServed(db: Sqlite, { drop = [], lots, notes, isTurn }: ServedWork): void {
  db.write(() => {
    for (const name of drop) dropTable(db, name)
    for (const lot of lots) if (lot.entries.count > 0) putEntries(db, lot)
    const put = db.prepare('INSERT OR REPLACE INTO notes (name, text) VALUES (?, ?)')
    const remove = db.prepare('DELETE FROM notes WHERE name = ?')
    for (const { name, text } of notes)
      if (text === null) remove.run(name)
      else put.run(name, text)
    if (isTurn) db.prepare('INSERT INTO turns (one, turn) VALUES (1, 1) ON CONFLICT (one) DO UPDATE SET turn = turn + 1').run()
  })
}

/** Measured: more rows a statement gain nothing. */
const rowsPerStatement = 20

function putEntries(db: Sqlite, { table, entries, kept }: EntryLot): void {
  const name = entriesTable(numberOf(db, table) ?? makeTable(db, table))
  const seqs = columnOf(entries, '_seq', 'int').values
  const known = columnOf(entries, '_known_ts', 'long').values
  const keyAt = textsOf(columnOf(entries, '_key', 'text'))
  const stands = entries.byName.get('_stands')
  const cells = kept.map((one) => jsonOf(entries.byName.get(one)!))
  const keptAt = (row: number): string | null => {
    if (stands?.kind === 'flag' && stands.values[row] !== 1) return null
    let text = '['
    for (let i = 0; i < cells.length; i++) text += i === 0 ? cells[i]!(row) : `,${cells[i]!(row)}`
    return `${text}]`
  }
  const newest = new Map<string, number>()
  for (let row = 0; row < entries.count; row++) {
    const key = keyAt(row)
    // A key that is null is that of no text.
    const before = newest.get(key ?? '')
    if (before === undefined || seqs[before]! <= seqs[row]!) newest.set(key ?? '', row)
  }
  const keys = [...newest.keys()].sort()
  const put = (count: number) =>
    db.prepare(
      `INSERT INTO ${name} (key, seq, known, kept) VALUES ${Array(count).fill('(?, ?, ?, ?)').join(', ')} ` +
        'ON CONFLICT (key) DO UPDATE SET seq = excluded.seq, known = excluded.known, kept = excluded.kept WHERE excluded.seq >= seq',
    )
  for (let from = 0; from < keys.length; from += rowsPerStatement) {
    const count = Math.min(rowsPerStatement, keys.length - from)
    const args: (string | number | bigint | null)[] = []
    for (let i = from; i < from + count; i++) {
      const row = newest.get(keys[i]!)!
      args.push(keys[i]!, seqs[row]!, known[row]!, keptAt(row))
    }
    put(count).run(...args)
  }
}
