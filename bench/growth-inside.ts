/** How the engine's cost grows: with the number of keys, the length of windows, the number of features. */
import type { NamedFeature } from '../feature-defs/feature-set.ts'
import type { OperatorSpec, WindowedOp } from '../feature-defs/operators/operator.ts'
import { run } from './child.ts'
import type { Curve, GrowthOptions, Measured } from './growth-curve.ts'
import type { EngineCost, EnginePoint } from './growth-engine.ts'

const of = 'risk_score'
const round = 3
const meanOf = (last: number): OperatorSpec => ({ op: 'mean', of, last, round })
const named = (specs: readonly OperatorSpec[]): NamedFeature[] => specs.map((spec, i) => ({ name: `f${i}`, spec }))

/** Every case at every size, round by round, so that a slow phase of the machine hits all alike. */
async function costs(cases: ReadonlyMap<string, EnginePoint>, { runs, say }: GrowthOptions): Promise<(name: string) => readonly EngineCost[]> {
  const measured = new Map<string, EngineCost[]>([...cases.keys()].map((name) => [name, []]))
  for (let turn = 1; turn <= runs; turn++) {
    for (const [name, point] of cases) {
      say(`run ${turn}: ${name}`)
      measured.get(name)!.push(JSON.parse((await run('bench/growth-engine.ts', [JSON.stringify(point)])).stdout) as EngineCost)
    }
  }
  return (name) => measured.get(name)!
}

const points = (sizes: readonly number[], costsAt: (size: number) => readonly EngineCost[], figure: (cost: EngineCost, size: number) => number): Measured[] =>
  sizes.map((size) => ({ size, values: costsAt(size).map((cost) => figure(cost, size)) }))

export async function growthOfKeys(options: GrowthOptions): Promise<Curve[]> {
  const sizes = options.sizes ?? (options.quick ? [1, 100, 10_000, 100_000] : [1, 10, 100, 1000, 10_000, 100_000, 1_000_000])
  const many = sizes.filter((keys) => keys >= 1000)
  const some = many.filter((keys) => keys <= (options.quick ? 10_000 : 100_000))
  const point = (keys: number, rows: number): EnginePoint => ({ features: named([meanOf(50)]), keys, rows, rowsPerDay: 200 })
  const at = await costs(new Map([
    ...sizes.map((keys) => [`${keys} keys`, point(keys, Math.max(200_000, 3 * keys))] as const),
    ...some.map((keys) => [`${keys} keys, windows full`, point(keys, 75 * keys)] as const),
    ...many.map((keys) => [`${keys} keys, three records each`, point(keys, 3 * keys)] as const),
  ]), options)
  const shared = { across: 'keys', log: true }
  const each = (keys: number) => at(`${keys} keys`)
  return [
    {
      ...shared, name: 'growth-keys', title: 'Keys: processor time, ns a row',
      subtitle: ['One mean of 50 per key; keys drawn evenly, batches of 10 000 records. Taking the key out of the record counts.'],
      lines: [
        { name: 'push', points: points(sizes, each, ({ warmNs }) => warmNs) },
        { name: 'push, keys new', points: points(sizes, each, ({ coldNs }) => coldNs) },
        { name: 'changes, after a batch', points: points(sizes, each, ({ changesNs }) => changesNs) },
      ],
    },
    {
      ...shared, name: 'growth-keys-memory', title: 'Keys: memory of the engine, bytes a key', subtitle: ['One mean of 50 per key.'],
      lines: [
        { name: 'windows full', points: points(some, (keys) => at(`${keys} keys, windows full`), ({ memoryPerKey }) => memoryPerKey) },
        { name: 'three records a key', points: points(many, (keys) => at(`${keys} keys, three records each`), ({ memoryPerKey }) => memoryPerKey) },
      ],
    },
    {
      ...shared, name: 'growth-keys-checkpoint', title: 'Keys: what a checkpoint writes, bytes a row',
      subtitle: ['One mean of 50 per key; a checkpoint after every 10 000 records holds the keys that changed.'],
      lines: [{ name: 'checkpoint', points: points(sizes, each, ({ checkpointPerBatch }) => checkpointPerBatch / 10_000) }],
    },
  ]
}

export async function growthOfWindows(options: GrowthOptions): Promise<Curve[]> {
  const sizes = options.sizes ?? (options.quick ? [50, 1000, 10_000] : [50, 100, 500, 1000, 5000, 10_000])
  const operators: readonly (readonly [string, (size: number) => OperatorSpec])[] = [
    ...(['mean', 'stddev', 'max'] satisfies WindowedOp[]).map((op) => [`${op} of records`, (last: number): OperatorSpec => ({ op, of, last, round })] as const),
    ['ema by span', (span) => ({ op: 'ema', of, span, round })],
    ...(['mean', 'max'] satisfies WindowedOp[]).map((op) => [`${op} of days`, (days: number): OperatorSpec => ({ op, of, days, round })] as const),
  ]
  // Twenty records a day over twenty-seven years.
  const at = await costs(new Map(operators.flatMap(([name, spec]) =>
    sizes.map((size) => [`${name}: ${size}`, { features: named([spec(size)]), keys: 0, rows: 200_000, rowsPerDay: 20 }] as const))), options)
  const lines = (figure: (cost: EngineCost) => number) => operators.map(([name]) => ({ name, points: points(sizes, (size) => at(`${name}: ${size}`), figure) }))
  const shared = { across: 'records, or days, in the window', log: true }
  return [
    { ...shared, name: 'growth-windows', title: 'Windows: processor time of push, ns a row', subtitle: ['One feature without keys, 200 000 records in order of their dates, 20 a day.'], lines: lines(({ warmNs }) => warmNs) },
    { ...shared, name: 'growth-windows-checkpoint', title: 'Windows: what a checkpoint writes, bytes a row', subtitle: ['The same; a checkpoint after every 10 000 records.'], lines: lines(({ checkpointPerBatch }) => checkpointPerBatch / 10_000) },
  ]
}

export async function growthOfFeatures(options: GrowthOptions): Promise<Curve[]> {
  const sizes = options.sizes ?? (options.quick ? [1, 10, 50] : [1, 2, 5, 10, 20, 50])
  const turns: readonly ((i: number) => OperatorSpec)[] = [
    (i) => meanOf(20 + i),
    (i) => ({ op: 'ema', of, span: 20 + i, round }),
    (i) => ({ op: 'max', of, last: 20 + i }),
    (i) => ({ op: 'stddev', of, last: 20 + i, round }),
    (i) => ({ op: 'count', of, last: 20 + i }),
  ]
  const kinds: readonly (readonly [string, (i: number) => OperatorSpec])[] = [['means', (i) => meanOf(20 + i)], ['five operators in turn', (i) => turns[i % turns.length]!(i)]]
  const at = await costs(new Map(kinds.flatMap(([name, spec]) => sizes.map((size) =>
    [`${size} features, ${name}`, { features: named(Array.from({ length: size }, (_, i) => spec(i))), keys: 0, rows: 200_000, rowsPerDay: 200 }] as const))), options)
  return [{
    name: 'growth-features', title: 'Features: processor time of push, ns a row and feature', subtitle: ['Windows from 20 records on, of one field, without keys. A level line is a cost that grows with the features and no faster.'],
    across: 'features in the set', log: true,
    lines: kinds.map(([name]) => ({ name, points: points(sizes, (size) => at(`${size} features, ${name}`), ({ warmNs }, size) => warmNs / size) })),
  }]
}
