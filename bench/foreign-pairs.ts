/** Messages of others read by their bytes, beside JSON.parse and avsc, and objects that are as exact. */
import { deepStrictEqual } from 'node:assert/strict'
import { toObject } from '../schemas/avro/generic.ts'
import { foreignDecoder } from '../schemas/foreign/decoder.ts'
import type { Changes } from '../schemas/foreign/changes.ts'
import { textsOf } from '../utilities/values/cell-text.ts'
import type { Messages } from '../utilities/feed.ts'
import { decimalText } from '../utilities/values/decimal-text.ts'
import { dayText } from '../utilities/values/day.ts'
import { isoText } from '../utilities/values/timestamp.ts'
import type { Pair } from './check-ratios.ts'
import { avroSchemas, eventSchema, paymentsInAvro } from './foreign-avro-messages.ts'
import { envelope, event, invoices, messagesOf, payment } from './foreign-messages.ts'

const count = 10_000

export async function foreignPairs(): Promise<readonly Pair[]> {
  const [payments, changes] = [messagesOf(payment, 0, count), messagesOf(envelope, 0, count)]
  const ofPayments = foreignDecoder({ ...event, key: null, format: 'json' }, undefined)
  const ofChanges = foreignDecoder({ ...invoices, format: 'debezium' }, undefined)
  const avro = paymentsInAvro(0, count)
  const ofAvro = foreignDecoder({ ...event, key: null, format: 'avro' }, avroSchemas)
  const fromAvro = await ofAvro(avro)
  const [fromPayments, fromChanges] = [await ofPayments(payments), await ofChanges(changes)]
  return [
    {
      name: 'events in JSON: bytes → columns | JSON.parse → objects',
      fast: () => ofPayments(payments),
      twin: () => paymentsIn(payments),
      agree: () =>
        deepStrictEqual(
          linesOf(fromPayments),
          paymentsIn(payments).map((one) => Object.values(one).map(String)),
        ),
      atLeast: 2.5,
    },
    {
      name: 'changes in an envelope: bytes → columns and origins | JSON.parse → objects',
      fast: () => ofChanges(changes),
      twin: () => invoicesIn(changes),
      agree: () =>
        deepStrictEqual(
          linesOf(fromChanges),
          invoicesIn(changes).map(({ row }) => Object.values(row).map(String)),
        ),
      atLeast: 2.5,
    },
    {
      name: 'events in Avro: bytes → columns | avsc → objects',
      fast: () => ofAvro(avro),
      twin: () => avroPaymentsIn(avro),
      agree: () =>
        deepStrictEqual(
          linesOf(fromAvro),
          avroPaymentsIn(avro).map((one) => Object.values(one).map(String)),
        ),
      atLeast: 1.3,
    },
  ]
}

function avroPaymentsIn({ values: { bytes, starts, ends } }: Messages) {
  return Array.from(starts, (start, i) => toObject(eventSchema, bytes.subarray(start + 5, ends[i])))
}

const linesOf = ({ rows }: Changes) => {
  const texts = [...rows.byName.values()].map(textsOf)
  return Array.from({ length: rows.count }, (_, row) => texts.map((textAt) => textAt(row)))
}

/** Numbers as their texts, since JSON.parse alone would round them. */
const exact = ((_: string, value: unknown, { source }: { readonly source: string }) =>
  typeof value === 'number' ? source : value) as unknown as (key: string, value: unknown) => unknown

function parsed<T>({ values: { bytes, starts, ends } }: Messages): Exact<T>[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from(starts, (start, i) => JSON.parse(buffer.toString('utf8', start, ends[i]), exact) as Exact<T>)
}

type Exact<T> = T extends number ? string : T extends object ? { readonly [K in keyof T]: Exact<T[K]> } : T

const paymentsIn = (messages: Messages) =>
  parsed<ReturnType<typeof payment>>(messages).map(({ account_id, paid_at, amount, invoice_id, method }) => ({
    account_id,
    paid_at: isoText(Date.parse(paid_at) * 1000),
    amount: withCents(amount),
    invoice_id: BigInt(invoice_id),
    method,
  }))

const withCents = (amount: string): string => {
  const [whole, fraction = ''] = amount.split('.')
  return `${whole}.${fraction.padEnd(2, '0')}`
}

const invoicesIn = (messages: Messages) =>
  parsed<ReturnType<typeof envelope>>(messages).map(({ after, source, op, transaction }) => ({
    row: {
      invoice_id: BigInt(after.invoice_id),
      account_id: after.account_id,
      date_issued: dayText(Number(after.date_issued)),
      amount: decimalText(Buffer.from(after.amount, 'base64').readIntBE(0, 3), 2),
      changed_at: isoText(BigInt(after.changed_at)),
      note: after.note,
    },
    origin: {
      op,
      connector: source.name,
      collection: `${source.schema}.${source.table}`,
      transaction: transaction.id.split(':')[0],
      lsn: BigInt(source.lsn),
      commit: BigInt((JSON.parse(source.sequence) as [string, string])[0]),
    },
  }))
