/** Fields read back from keys: what a row has that is of no record, but of a key. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fieldsOfKeys } from '../feature-defs/fields-of-keys.ts'
import { keysOf } from '../feature-defs/keys.ts'
import type { FieldColumn, FieldKind } from '../feature-defs/takes.ts'
import type { Column } from '../utilities/values/columns.ts'
import { valuesIn } from './exact.ts'
import { anyValue, kinds } from './operator-specs.ts'

const names = Object.keys(kinds) as FieldKind[]
const fields = Object.fromEntries(names.map((name) => [name, kinds[name].field]))
const odd = fc.constantFrom(',', '\\', '\\N', 'N', '\\,', ',\\', '', 'ä,😀', '\\\\N')

/**
 * A column of each kind, so many rows, some of them null; texts of what keys are made with, too, and moments of the years that there are.
 */
const columns = fc.array(fc.tuple(fc.option(anyValue, { freq: 4 }), odd, fc.boolean()), { minLength: 1, maxLength: 12 }).map((rows) => ({
  count: rows.length,
  byName: new Map<string, Column>(
    names.map((name) => {
      const inputOf = (value: number, text: string, isOdd: boolean) => {
        if (name === 'text' && isOdd) return text
        return kinds[name].of(name === 'timestamp' ? value % 200_000 : value)
      }
      return [name, kinds[name].column(rows.map(([value, text, isOdd]) => (value === null ? null : inputOf(value, text, isOdd))))]
    }),
  ),
}))

it('are those that a key of several was made of, whatever their kind, to the last digit', () => {
  fc.assert(
    fc.property(columns, fc.shuffledSubarray(names, { minLength: 2 }), (all, per) => {
      const keys = keysOf(all, per)
      const found = fieldsOfKeys(keys, per, fields)
      for (const name of per) expect(valuesIn(found.get(name) as FieldColumn)).toEqual(plain(valuesIn(all.byName.get(name) as FieldColumn)))
      expect(keysOf({ count: all.count, byName: found }, per)).toEqual(keys)
    }),
  )
})

it('are the value that a key of one field is, and null where that is empty', () => {
  fc.assert(
    fc.property(columns, fc.constantFrom(...names), (all, per) => {
      const keys = keysOf(all, per)
      const found = fieldsOfKeys(keys, per, fields).get(per) as FieldColumn
      expect(valuesIn(found)).toEqual(plain(valuesIn(all.byName.get(per) as FieldColumn)).map((value) => (value === '' ? null : value)))
      expect(keysOf({ count: all.count, byName: new Map([[per, found]]) }, per)).toEqual(keys)
    }),
  )
})

/** No zero is negative in a key. */
const plain = <V>(values: readonly V[]) => values.map((value) => (Object.is(value, -0) ? 0 : value))
