/** What changes make of a table, by a plain model: its rows as lines of text, by key. */
import type { Changes } from '../schemas/foreign/changes.ts'
import { says } from '../schemas/foreign/changes.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import type { Columns } from '../utilities/values/columns.ts'
import type { Table } from '../schemas/record.ts'

/** Each row as its texts; null is written ∅. */
export function linesOf({ count, byName }: Columns): readonly string[] {
  const texts = [...byName.values()].map(textsOf)
  return Array.from({ length: count }, (_, row) => texts.map((textAt) => textAt(row) ?? '∅').join(' | '))
}

export const textsIn = ({ count, byName }: Columns, name: string): readonly (string | null)[] =>
  Array.from({ length: count }, (_, row) => textsOf(byName.get(name)!)(row))

export type Step = {
  readonly message: number
  readonly of: Changes
  readonly does: (rows: Map<string, readonly string[]>) => void
}

/** What each message does, in order. */
export function stepsOf(changes: Changes, { key, fields }: Table): readonly Step[] {
  const names = Object.keys(fields)
  const texts = names.map((name) => textsOf(changes.rows.byName.get(name)!))
  const keyTexts = key.map((name) => textsOf(changes.gone.byName.get(name)!))
  const steps: Step[] = []
  const step = (message: number, does: Step['does']) => steps.push({ message, of: changes, does })
  for (const [row, message] of [...changes.goneBy].entries())
    step(message, (rows) => rows.delete(keyTexts.map((textAt) => textAt(row)).join(' | ')))
  for (const [row, message] of [...changes.put].entries()) {
    const cells = texts.map((textAt) => textAt(row) ?? '∅')
    const unsent = changes.unsent.get(row) ?? []
    const own = key.map((name) => cells[names.indexOf(name)]!).join(' | ')
    step(message, (rows) => {
      rows.set(
        own,
        cells.map((cell, i) => (unsent.includes(names[i]!) ? (rows.get(own)?.[i] ?? '∅') : cell)),
      )
    })
  }
  for (const [message, said] of [...changes.said].entries()) if (said === says.emptied) step(message, (rows) => rows.clear())
  return steps.sort((a, b) => a.message - b.message)
}

export function rowsAfter(steps: readonly Step[]): readonly string[] {
  const rows = new Map<string, readonly string[]>()
  for (const { does } of steps) does(rows)
  return [...rows.values()].map((cells) => cells.join(' | ')).sort()
}

/** What each message said, in order: rows, keys that are gone, reasons. */
export function saidBy({ said, put, rows, goneBy, gone, dead }: Changes): readonly string[] {
  const [putLines, goneLines] = [linesOf(rows), linesOf(gone)]
  return [...said].map((one, message) => {
    const parts = [...goneBy].flatMap((by, i) => (by === message ? [`gone ${goneLines[i]}`] : []))
    parts.push(...[...put].flatMap((by, i) => (by === message ? [putLines[i]!] : [])))
    if (one === says.dead) parts.push(`dead: ${dead.find((letter) => letter.message === message)!.reason}`)
    if (one === says.emptied) parts.push('emptied')
    return parts.join(', ') || 'nothing'
  })
}
