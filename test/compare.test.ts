/** How rows are compared, by `diff` and by proofs: with values of every kind, against plain values. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compare } from '../versions/compare.ts'
import { tally } from '../versions/value-diff.ts'
import { anyColumns, anyRow, anyToColumns, type AnyRow } from './contracts/every-kind.ts'

/** Rows, and what became of each: mostly the same. */
const beforeAndAfter = fc.array(fc.tuple(anyRow, anyRow, fc.integer({ min: 0, max: 255 })), { maxLength: 20 }).map((pairs) => ({
  before: pairs.map(([before]) => before),
  after: pairs.map(
    ([before, other, which]) =>
      Object.fromEntries(names.map((name, i) => [name, ((which >> i) & 1) === 1 ? other[name] : before[name]])) as AnyRow,
  ),
}))
const names = anyColumns.map(({ name }) => name.replace('_field', '') as keyof AnyRow)

it('counts for a feature of any kind the values that differ, and says of numbers by how much', () =>
  fc.assert(
    fc.property(beforeAndAfter, ({ before, after }) => {
      const [was, is] = [anyToColumns(before), anyToColumns(after)]
      for (const name of names) {
        const one = tally(name)
        one.add(was.byName.get(`${name}_feature`)!, 0, is.byName.get(`${name}_feature`)!, 0, before.length)
        const found = one.result()
        const pairs = before.map((row, i) => [row[name], after[i]![name]] as const)
        expect(found).toMatchObject({
          rows: before.length,
          changed: pairs.filter(([a, b]) => a !== b).length,
          nullsBefore: pairs.filter(([a]) => a === null).length,
          nullsAfter: pairs.filter(([, b]) => b === null).length,
        })
        const unit = { number: 1, whole: 1, money: 100, huge: 1e10 }[name as string]
        const both = pairs.filter(([a, b]) => a !== null && b !== null)
        const differences = both.map(([a, b]) => Math.abs(Number((b as number) - (a as number))) / (unit ?? 1))
        expect(found.max).toEqual(unit === undefined || both.length === 0 ? null : Math.max(...differences))
        if (unit === undefined) expect([found.mean, ...Object.values(found.quantiles)]).toEqual([null, null, null, null])
      }
    }),
  ))

it('tells every value of any kind from every other, to the last digit', () =>
  fc.assert(
    fc.asyncProperty(beforeAndAfter, async ({ before, after }) => {
      const found: string[] = []
      const one = async function* (rows: readonly AnyRow[]) {
        yield anyToColumns(rows)
      }
      await compare([one(before)], one(after), {
        missing: ({ seq }) => void found.push(`missing ${seq}`),
        extra: ({ seq }) => void found.push(`extra ${seq}`),
        different: ({ seq }, column) => void found.push(`${seq} ${column}`),
      })
      const expected = before.flatMap((row, i) =>
        ['field', 'feature'].flatMap((suffix) =>
          names.filter((name) => row[name] !== after[i]![name]).map((name) => `${i + 1} ${name}_${suffix}`),
        ),
      )
      expect(found).toEqual(expected)
    }),
  ))
