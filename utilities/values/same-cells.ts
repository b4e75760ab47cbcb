/** Whether cells of two columns of one kind are the same, to the bit: what is written of the one is what is written of the other. */
import type { Column, TextColumn, Wholes } from './columns.ts'

export type Same = (row: number, otherRow: number) => boolean

export function sameCells(one: Column, other: Column): Same {
  if (one.kind !== other.kind) return () => false
  switch (one.kind) {
    case 'text':
      return sameTexts(one, other as TextColumn)
    case 'number':
    case 'int': {
      // 0 and -0 are two numbers there.
      const [a, b] = [one.values, (other as typeof one).values]
      return (row, otherRow) => Object.is(a[row], b[otherRow])
    }
    case 'integer':
    case 'decimal':
    case 'timestamp':
      return sameWholes(one, other as typeof one)
    case 'long': {
      const [a, b] = [one.values, (other as typeof one).values]
      return (row, otherRow) => a[row] === b[otherRow]
    }
    case 'flag': {
      const [a, b] = [one.values, (other as typeof one).values]
      return (row, otherRow) => a[row] === b[otherRow]
    }
    case 'date': {
      const [a, b] = [one.days, (other as typeof one).days]
      return (row, otherRow) => a[row] === b[otherRow]
    }
  }
}

function sameWholes({ values: a, wide }: Wholes, { values: b, wide: otherWide }: Wholes): Same {
  const same: Same = (row, otherRow) => a[row] === b[otherRow] || (a[row] !== a[row] && b[otherRow] !== b[otherRow])
  if ((wide?.size ?? 0) === 0 && (otherWide?.size ?? 0) === 0) return same
  return (row, otherRow) => same(row, otherRow) && wide?.get(row) === otherWide?.get(otherRow)
}

function sameTexts(one: TextColumn, other: TextColumn): Same {
  const [a, b] = [one.bytes, other.bytes]
  return (row, otherRow) => {
    const [from, otherFrom] = [one.starts[row]!, other.starts[otherRow]!]
    if (from < 0 || otherFrom < 0) return from < 0 && otherFrom < 0
    const length = one.ends[row]! - from
    if (other.ends[otherRow]! - otherFrom !== length) return false
    if (a === b && from === otherFrom) return true
    for (let i = 0; i < length; i++) if (a[from + i] !== b[otherFrom + i]) return false
    return true
  }
}
