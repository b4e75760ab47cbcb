/** Rows as a CSV file: each kind of value in its form, to the last digit. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openCsv } from '../commands/csv-file.ts'
import { firstMicros, lastMicros } from '../utilities/values/timestamp.ts'
import { freshFolder } from './cli-run.ts'
import { anyColumns, anyToColumns, type AnyRow } from './contracts/every-kind.ts'

const none: AnyRow = { number: null, whole: null, money: null, huge: null, day: null, moment: null, flag: null, text: null }

it.each<[string, AnyRow, string]>([
  ['nothing', none, ',,,,,,,'],
  [
    'the least and the first',
    { number: -1.5, whole: -(2n ** 63n), money: -1n, huge: -(10n ** 38n - 1n), day: -719_162, moment: firstMicros, flag: false, text: '' },
    '-1.5,-9223372036854775808,-0.01,-9999999999999999999999999999.9999999999,0001-01-01,0001-01-01T00:00:00Z,false,""',
  ],
  [
    'the most and the last',
    { number: 0.1, whole: 2n ** 63n - 1n, money: 10n ** 12n - 1n, huge: 1n, day: 2_932_896, moment: lastMicros, flag: true, text: 'a,b' },
    '0.1,9223372036854775807,9999999999.99,0.0000000001,9999-12-31,9999-12-31T23:59:59.999999Z,true,"a,b"',
  ],
  [
    'zeros, and a moment with a fraction',
    { number: 0, whole: 0n, money: 0n, huge: 0n, day: 0, moment: 1_204_286_096_500_000n, flag: false, text: '0' },
    '0,0,0.00,0.0000000000,1970-01-01,2008-02-29T11:54:56.5Z,false,0',
  ],
])('writes %s', async (_, row, line) => {
  const path = join(freshFolder(), 'rows.csv')
  const file = await openCsv(path, anyColumns)
  await file.append(anyToColumns([row, none]))
  await file.finish()
  await file.close()
  expect(readFileSync(path, 'utf8').split('\r\n')).toEqual([anyColumns.map(({ name }) => name).join(','), line, ',,,,,,,', ''])
})
