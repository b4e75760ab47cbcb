/** Rows of several columns of one kind as one column. */
import type { Column, TextColumn, Wholes } from './columns.ts'

/** Row i is the one at rows[i] of the source which[i]. */
export type Mix = { readonly which: Uint8Array; readonly rows: Int32Array }

export function mixed(sources: readonly Column[], mix: Mix): Column {
  const [first] = sources
  switch (first!.kind) {
    case 'number':
    case 'int':
      return { kind: first!.kind, values: gathered(valuesOf<Float64Array>(sources), mix, new Float64Array(mix.rows.length)) }
    case 'long':
      return { kind: 'long', values: gathered(valuesOf<BigInt64Array>(sources), mix, new BigInt64Array(mix.rows.length)) }
    case 'integer':
    case 'timestamp':
    case 'decimal':
      return {
        ...first!,
        values: gathered(valuesOf<Float64Array>(sources), mix, new Float64Array(mix.rows.length)),
        ...wideOf(sources, mix),
      }
    case 'flag':
      return { kind: 'flag', values: gathered(valuesOf<Uint8Array>(sources), mix, new Uint8Array(mix.rows.length)) }
    case 'date':
      return {
        kind: 'date',
        days: gathered(
          sources.map((one) => (one as { readonly days: Int32Array }).days),
          mix,
          new Int32Array(mix.rows.length),
        ),
      }
    case 'text':
      return mixedTexts(sources as readonly TextColumn[], mix)
  }
}

const valuesOf = <A>(sources: readonly Column[]) => sources.map((one) => (one as unknown as { readonly values: A }).values)

function gathered<A extends Float64Array | BigInt64Array | Int32Array | Uint8Array>(sources: readonly A[], { which, rows }: Mix, to: A): A {
  for (let i = 0; i < rows.length; i++) to[i] = sources[which[i]!]![rows[i]!]!
  return to
}

function wideOf(sources: readonly Column[], { which, rows }: Mix): { readonly wide?: ReadonlyMap<number, bigint> } {
  const wides = sources.map((one) => (one as Wholes).wide)
  if (wides.every((wide) => !wide || wide.size === 0)) return { wide: new Map() }
  const wide = new Map<number, bigint>()
  for (let i = 0; i < rows.length; i++) {
    const value = wides[which[i]!]?.get(rows[i]!)
    if (value !== undefined) wide.set(i, value)
  }
  return { wide }
}

/** Sources mostly lie in the same bytes, or have none: those are not copied. */
function mixedTexts(sources: readonly TextColumn[], { which, rows }: Mix): TextColumn {
  const places = new Map<Uint8Array, number>()
  let size = 0
  for (const { bytes } of sources) {
    if (bytes.length === 0 || places.has(bytes)) continue
    places.set(bytes, size)
    size += bytes.length
  }
  const shifts = sources.map(({ bytes }) => places.get(bytes) ?? 0)
  const [starts, ends] = [new Int32Array(rows.length), new Int32Array(rows.length)]
  for (let i = 0; i < rows.length; i++) {
    const [source, shift] = [sources[which[i]!]!, shifts[which[i]!]!]
    const start = source.starts[rows[i]!]!
    starts[i] = start < 0 ? -1 : start + shift
    ends[i] = source.ends[rows[i]!]! + shift
  }
  const all = [...places.keys()]
  return { kind: 'text', bytes: all.length === 1 ? all[0]! : Buffer.concat(all), starts, ends }
}
