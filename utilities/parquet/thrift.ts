/** Thrift's compact protocol, as much of it as Parquet's headers need: a value is the code of its type, and its bytes. */

export type Thrift = { readonly type: number; readonly bytes: readonly number[] }

const codes = { true: 1, false: 2, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80)
  bytes.push(rest)
  return bytes
}

const zigzag = (value: number): number[] => varint(value < 0 ? -2 * value - 1 : 2 * value)

/** As a field of a struct: its type is its value. */
export const bool = (value: boolean): Thrift => ({ type: value ? codes.true : codes.false, bytes: [] })

export const int = (value: number): Thrift => ({ type: codes.i32, bytes: zigzag(value) })

/** Up to 2^52: more bytes than any file of ours has. */
export const long = (value: number): Thrift => ({ type: codes.i64, bytes: zigzag(value) })

export const binary = (bytes: Uint8Array): Thrift => ({ type: codes.binary, bytes: [...varint(bytes.length), ...bytes] })

export const text = (value: string): Thrift => binary(Buffer.from(value))

/** At least one value, all of one type. */
export const list = (values: readonly Thrift[]): Thrift => {
  const all = values.length < 15 ? [(values.length << 4) | values[0]!.type] : [0xf0 | values[0]!.type, ...varint(values.length)]
  for (const { bytes } of values) for (const byte of bytes) all.push(byte)
  return { type: codes.list, bytes: all }
}

/** A list of structs, which may be empty. */
export const structs = (values: readonly Thrift[]): Thrift =>
  values.length === 0 ? { type: codes.list, bytes: [codes.struct] } : list(values)

/** Fields by their numbers, rising by 15 at most. */
export const struct = (...fields: readonly (readonly [id: number, value: Thrift | undefined])[]): Thrift => {
  const all: number[] = []
  let before = 0
  for (const [id, value] of fields) {
    if (!value) continue
    all.push(((id - before) << 4) | value.type)
    for (const byte of value.bytes) all.push(byte)
    before = id
  }
  all.push(0)
  return { type: codes.struct, bytes: all }
}
