/** What is written in an expression as it is: figures, texts, dates, timestamps, flags and null. */
import { dayMicros } from '../../utilities/values/timestamp.ts'
import { noDay, nullColumn, type Column, type Columns } from '../../utilities/values/columns.ts'
import { dayOf } from '../csv/cells.ts'
import { mostScale, type Kind } from './kind.ts'
import type { Refuse, Syntax } from './syntax.ts'
import { constantText } from './texts.ts'
import type { Expression } from './widen.ts'
import { constant } from './wholes.ts'

type Literal = Extract<Syntax, { form: 'figure' | 'text' | 'date' | 'timestamp' | 'flag' | 'null' }>

export function literal(written: Literal, refuse: Refuse): Expression {
  const same = (kind: Kind, column: (count: number) => Column): Expression => ({
    kind,
    evaluate: ({ count }: Columns) => ({ column: column(count) }),
  })
  switch (written.form) {
    case 'figure': {
      const { kind, whole } = figure(written.text)
      if (kind.kind === 'decimal' && kind.scale > mostScale)
        refuse(written, `it has more than ${mostScale} digits behind the point`, 'Write fewer.')
      return same(kind, (count) => ({ ...constant(whole, count).column, ...kind }) as Column)
    }
    case 'text':
      return same({ kind: 'text' }, (count) => constantText(written.text, count))
    case 'flag':
      return same({ kind: 'flag' }, (count) => ({ kind: 'flag', values: new Uint8Array(count).fill(written.value ? 1 : 0) }))
    case 'null':
      return same({ kind: 'null' }, (count) => nullColumn({ kind: 'text' }, count))
    case 'date': {
      const day = dayIn(written.text)
      if (day === undefined) return refuse(written, 'it is no day of the form YYYY-MM-DD', "Write it as date '2024-12-31'.")
      return same({ kind: 'date' }, (count) => ({ kind: 'date', days: new Int32Array(count).fill(day) }))
    }
    case 'timestamp': {
      const micros = microsIn(written.text)
      if (micros === undefined)
        return refuse(
          written,
          'it is no moment of the form YYYY-MM-DD HH:MM:SS in UTC',
          "Write it as timestamp '2024-12-31 23:59:59.999999'.",
        )
      return same({ kind: 'timestamp' }, (count) => ({ ...constant(micros, count).column, kind: 'timestamp' }))
    }
  }
}

/** As in PostgreSQL a figure without a point is an integer where 64 bits hold it. */
function figure(text: string): { readonly kind: Kind; readonly whole: bigint } {
  const [before, behind] = text.replace(/\s/g, '').split('.') as [string, string?]
  const whole = BigInt(`${before.replace('-', '')}${behind ?? ''}` || '0') * (before.startsWith('-') ? -1n : 1n)
  const fits = behind === undefined && BigInt.asIntN(64, whole) === whole
  return { kind: fits ? { kind: 'integer' } : { kind: 'decimal', scale: behind?.length ?? 0 }, whole }
}

const dayPattern = /^\d{4}-\d\d-\d\d$/

function dayIn(text: string): number | undefined {
  const day = dayPattern.test(text) ? dayOf(...(text.split('-').map(Number) as [number, number, number])) : noDay
  return day === noDay ? undefined : day
}

const momentPattern = /^(\d{4}-\d\d-\d\d)(?:[ T]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6}))?)?Z?)?$/

function microsIn(text: string): bigint | undefined {
  const [, date = '', hours = '0', minutes = '0', seconds = '0', fraction = ''] = momentPattern.exec(text) ?? []
  const day = dayIn(date)
  if (day === undefined) return undefined
  const second = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  return BigInt(day) * BigInt(dayMicros) + BigInt(second) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
}
