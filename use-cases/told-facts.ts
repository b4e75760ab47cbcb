/** Facts as `inflow` tells of them, in texts that are equal exactly when the facts are. */
import type { FactSchema } from '../schemas/fact.ts'
import { offsetOf } from '../streams/dead.ts'
import { recordedIn } from '../streams/held.ts'
import { inflowReader } from '../streams/inflow.ts'
import { streamOf } from '../streams/stream.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import { columnOf, type Columns } from '../utilities/values/columns.ts'
import type { VersionPorts } from '../versions/bring.ts'

/** A fact as it stands by its last change, and who else has it. */
export type Told = { readonly cells: readonly string[]; readonly seq: number; inTables: boolean; inTable: boolean }

/** The texts of every fact, with its key. */
export function each(part: Columns, names: readonly string[], work: (key: string, cells: readonly string[]) => void): void {
  const keyAt = textsOf(columnOf(part, '_key', 'text'))
  const cellsAt = cellsIn(part, names)
  for (let row = 0; row < part.count; row++) work(keyAt(row)!, cellsAt(row))
}

/** Cells as texts that are equal exactly when the cells are. */
function cellsIn({ byName }: Columns, names: readonly string[]): (row: number) => readonly string[] {
  const shown = names.map((name) => {
    const column = byName.get(name)!
    const textAt = textsOf(column)
    return (row: number) => {
      const text = textAt(row)
      return text === null ? 'null' : column.kind === 'text' ? JSON.stringify(text) : text
    }
  })
  return (row) => shown.map((cellAt) => cellAt(row))
}

type Ports = Pick<VersionPorts, 'log' | 'registry' | 'checkpoints'>

type Asked = {
  /** Where each partition begins and ends; without a beginning, at the first that is held. */
  readonly from?: readonly number[]
  readonly ends: readonly number[]
  /** How far the sink has come. */
  readonly sunk: readonly number[]
  readonly isOf: (key: string) => boolean
  readonly signal: AbortSignal
}

/** What `inflow` says: the facts that stand, all that it tells of, and those of which the sink has not brought all. */
export async function toldFacts({ log, registry, checkpoints }: Ports, fact: FactSchema, { ends, from = [], isOf, sunk, signal }: Asked) {
  const stream = streamOf(fact)
  const names = Object.keys(fact.fields)
  const changes = await inflowReader(registry, fact, names, recordedIn(checkpoints, stream))
  const told = new Map<string, Told>()
  const [onTheWay, touched] = [new Set<string>(), new Set<string>()]
  const topics = await log.topics()
  for (const [partition, to] of ends.entries()) {
    const first = from[partition] ?? topics.find(({ topic }) => topic === stream.inflow)!.partitions[partition]!.first
    if (first >= to) continue
    for await (const fetched of log.read(stream.inflow, { partition, from: first, to, joined: true })) {
      signal.throwIfAborted()
      const { columns, rows } = await changes.read(fetched, Infinity)
      const keyAt = textsOf(columnOf(columns, 'key', 'text'))
      const seqs = columnOf(columns, '_seq', 'int').values
      const stands = columnOf(columns, 'after', 'flag').values
      const cellsAt = cellsIn(
        columns,
        names.map((name) => `after.${name}`),
      )
      for (let row = 0; row < columns.count; row++) {
        const key = keyAt(row)
        if (key === null || !isOf(key)) continue
        touched.add(key)
        if (offsetOf(fetched, rows[row]!) >= (sunk[partition] ?? 0)) onTheWay.add(key)
        const seq = seqs[row]!
        // A fact that moved to another partition is told of in both.
        if ((told.get(key)?.seq ?? 0) > seq) continue
        if (stands[row] === 1) told.set(key, { cells: [...cellsAt(row), String(seq)], seq, inTables: false, inTable: false })
        else told.delete(key)
      }
    }
  }
  return { told, onTheWay, touched }
}
