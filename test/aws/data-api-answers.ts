/** Answers of the Data API as they look on the wire: errors by name, rows as typed fields, times in seconds. */
import type { Answer } from 'pg'

/** An error that the service answers with: the client makes an exception of that name of it. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly type: string
  readonly status: number
  readonly more: Readonly<Record<string, string>>
  constructor(type: string, message: string, { status = 400, ...more }: { readonly status?: number; readonly ResourceId?: string } = {}) {
    super(message)
    this.type = type
    this.status = status
    this.more = more
  }
}

export const invalid = (message: string) => new Refused('ValidationException', message)
export const notFound = (message: string, resource: string) => new Refused('ResourceNotFoundException', message, { ResourceId: resource })

export const seconds = (ms: number) => ms / 1000

/** PostgreSQL's types by number; all others are text. */
const typeNames: Readonly<Record<number, string>> = {
  16: 'bool',
  18: 'char',
  19: 'name',
  20: 'int8',
  21: 'int2',
  23: 'int4',
  25: 'text',
  26: 'oid',
  700: 'float4',
  701: 'float8',
  1042: 'bpchar',
  1043: 'varchar',
  1082: 'date',
  1114: 'timestamp',
  1184: 'timestamptz',
  1700: 'numeric',
}
const whole = new Set([20, 21, 23, 26])

export type Field = { readonly [kind in 'isNull' | 'longValue' | 'doubleValue' | 'booleanValue' | 'stringValue']?: unknown }

/** Not yet among TypeScript's own declarations. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object }

/** longValue carries every digit, as the service's does: it is the client that loses those beyond 2^53. */
function fieldOf(text: string | null, type: number): Field {
  if (text === null) return { isNull: true }
  if (whole.has(type)) return { longValue: rawJSON(text) }
  if (type === 16) return { booleanValue: text === 't' }
  if (type === 700 || type === 701) return { doubleValue: Number.isFinite(Number(text)) ? Number(text) : text }
  return { stringValue: text }
}

export const recordsOf = ({ fields, rows }: Answer, from: number, to: number): Field[][] =>
  rows.slice(from, to).map((row) => row.map((text, i) => fieldOf(text, fields[i]!.dataTypeID)))

export const columnsOf = ({ fields }: Answer) =>
  fields.map(({ name, dataTypeID, dataTypeModifier }) => ({
    name,
    label: name,
    typeName: typeNames[dataTypeID] ?? 'varchar',
    nullable: 1,
    length: dataTypeID === 1043 && dataTypeModifier > 4 ? dataTypeModifier - 4 : 0,
    precision: dataTypeID === 1700 && dataTypeModifier > 4 ? (dataTypeModifier - 4) >> 16 : 0,
    scale: dataTypeID === 1700 && dataTypeModifier > 4 ? (dataTypeModifier - 4) & 0xffff : 0,
    isCaseSensitive: [25, 1042, 1043].includes(dataTypeID),
    isSigned: whole.has(dataTypeID) || [700, 701, 1700].includes(dataTypeID),
    isCurrency: false,
    schemaName: '',
    tableName: '',
  }))

/** Bytes as the service counts them, roughly: those of the values. */
export const sizeOf = (row: Answer['rows'][number]) => row.reduce((sum, text) => sum + (text === null ? 0 : Buffer.byteLength(text)), 0)

type Failure = Error & { readonly code?: string; readonly constraint?: string; readonly detail?: string; readonly table?: string }

const conflict = [
  '1023',
  '  Detail: Serializable isolation violation on table - 100001, transactions forming the cycle are: 2001, 2002 (pid:1073930000)',
].join('\n')

const rule = '  -----------------------------------------------'
const tooLong = [
  'Value too long for character type',
  '  Detail: ',
  rule,
  '  error:  Value too long for character type',
  '  code:      8001',
  '  context:   Value too long for type character varying',
  rule,
].join('\n')

/** What Redshift says where PostgreSQL says it differently. */
export function textOf(error: Failure): string {
  const { code, message } = error
  if (code === '40001' || code === '40P01') return `ERROR: ${conflict}`
  if (code === '22001' || (code === '23514' && error.constraint?.includes('_check'))) return `ERROR: ${tooLong}`
  if (code === '57014') return "ERROR: Query cancelled on user's request"
  return `ERROR: ${message}`
}
