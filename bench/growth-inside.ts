/** How the engine's cost grows: with the number of keys, the length of windows, the number of features. */
import type { NamedFeature } from '../feature-defs/feature-set.ts'
import type { OperatorSpec } from '../feature-defs/define-operator.ts'
import { run } from './child.ts'
import type { Curve, GrowthOptions, Measured } from './growth-curve.ts'
import { batchRows, type EngineCost, type EnginePoint } from './growth-engine.ts'

const of = 'risk_score'
const round = 3
const meanOf = (last: number): OperatorSpec => ({ op: 'mean', of, last, round })
const named = (specs: readonly OperatorSpec[]): NamedFeature[] => specs.map((spec, i) => ({ name: `f${i}`, spec }))

/** Every case at every size, round by round, so that a slow phase of the machine hits all alike. */
async function costs(
  cases: ReadonlyMap<string, EnginePoint>,
  { runs, say }: GrowthOptions,
): Promise<(name: string) => readonly EngineCost[]> {
  const measured = new Map<string, EngineCost[]>([...cases.keys()].map((name) => [name, []]))
  for (let turn = 1; turn <= runs; turn++) {
    for (const [name, point] of cases) {
      say(`run ${turn}: ${name}`)
      measured.get(name)!.push(JSON.parse((await run('bench/growth-engine.ts', [JSON.stringify(point)])).stdout) as EngineCost)
    }
  }
  return (name) => measured.get(name)!
}

const points = (
  sizes: readonly number[],
  costsAt: (size: number) => readonly EngineCost[],
  figure: (cost: EngineCost, size: number) => number,
): Measured[] => sizes.map((size) => ({ size, values: costsAt(size).map((cost) => figure(cost, size)) }))

export async function growthOfKeys(options: GrowthOptions): Promise<Curve[]> {
  const sizes = options.sizes ?? (options.quick ? [1, 100, 10_000, 100_000] : [1, 10, 100, 1000, 10_000, 100_000, 1_000_000])
  const many = sizes.filter((keys) => keys >= 1000)
  const some = many.filter((keys) => keys <= (options.quick ? 10_000 : 100_000))
  const point = (keys: number, rows: number): EnginePoint => ({ features: named([meanOf(50)]), keys, rows, rowsPerDay: 200 })
  const few = (keys: number) => Math.max(200_000, 3 * keys)
  const name = (keys: number, rows: number) => `${keys} keys, ${rows} records`
  const pairs = (of: readonly number[], rows: (keys: number) => number) => of.map((keys) => ({ keys, rows: rows(keys) }))
  const wanted = [...pairs(sizes, few), ...pairs(some, (keys) => 75 * keys), ...pairs(many, (keys) => 3 * keys)]
  const at = await costs(new Map(wanted.map(({ keys, rows }) => [name(keys, rows), point(keys, rows)])), options)
  const shared = { across: 'keys', log: true }
  const each = (keys: number) => at(name(keys, few(keys)))
  const full = (keys: number) => (keys < 1000 ? each(keys) : at(name(keys, 75 * keys)))
  const three = (keys: number) => at(name(keys, 3 * keys))
  const filled = sizes.filter((keys) => keys < 1000 || some.includes(keys))
  return [
    {
      ...shared,
      name: 'growth-keys',
      title: 'Keys: processor time, ns a row',
      subtitle: [
        'One mean of 50 per key; keys drawn evenly, batches of 10 000 records.',
        'push takes the keys out of the records too; changes makes the checkpoint of a batch.',
      ],
      lines: [
        { name: 'push', points: points(sizes, each, ({ warmNs }) => warmNs) },
        { name: 'push, keys new', points: points(sizes, each, ({ coldNs }) => coldNs) },
        { name: 'changes, windows full', points: points(filled, full, ({ changesNs }) => changesNs) },
      ],
    },
    {
      ...shared,
      name: 'growth-keys-memory',
      title: 'Keys: memory of the engine, bytes a key',
      subtitle: ['One mean of 50 per key.'],
      lines: [
        { name: 'windows full', points: points(some, full, ({ memoryPerKey }) => memoryPerKey) },
        { name: 'three records a key', points: points(many, three, ({ memoryPerKey }) => memoryPerKey) },
      ],
    },
    {
      ...shared,
      name: 'growth-keys-checkpoint',
      title: 'Keys: what a checkpoint writes, bytes a row',
      subtitle: ['One mean of 50 per key; a checkpoint after every 10 000 records holds the keys that changed.'],
      lines: [
        { name: 'windows full', points: points(filled, full, ({ lastCheckpoint }) => lastCheckpoint / batchRows) },
        { name: 'three records a key', points: points(many, three, ({ lastCheckpoint }) => lastCheckpoint / batchRows) },
      ],
    },
  ]
}

export async function growthOfWindows(options: GrowthOptions): Promise<Curve[]> {
  const sizes = options.sizes ?? (options.quick ? [50, 1000, 10_000] : [50, 100, 500, 1000, 5000, 10_000])
  const operators: readonly (readonly [string, (size: number) => OperatorSpec])[] = [
    ...['mean', 'stddev', 'max'].map((op) => [`${op} of records`, (last: number): OperatorSpec => ({ op, of, last, round })] as const),
    ['ema by span', (span) => ({ op: 'ema', of, span, round })],
    ...['mean', 'max'].map((op) => [`${op} of days`, (days: number): OperatorSpec => ({ op, of, days, round })] as const),
  ]
  // Twenty records a day over twenty-seven years.
  const at = await costs(
    new Map(
      operators.flatMap(([name, spec]) =>
        sizes.map((size) => [`${name}: ${size}`, { features: named([spec(size)]), keys: 0, rows: 200_000, rowsPerDay: 20 }] as const),
      ),
    ),
    options,
  )
  const lines = (figure: (cost: EngineCost) => number) =>
    operators.map(([name]) => ({ name, points: points(sizes, (size) => at(`${name}: ${size}`), figure) }))
  const shared = { across: 'records, or days, in the window', log: true }
  return [
    {
      ...shared,
      name: 'growth-windows',
      title: 'Windows: processor time of push, ns a row',
      subtitle: ['One feature without keys, 200 000 records in order of their dates, 20 a day.'],
      lines: lines(({ warmNs }) => warmNs),
    },
    {
      ...shared,
      name: 'growth-windows-checkpoint',
      title: 'Windows: what a checkpoint writes, bytes a row',
      subtitle: ['The same; the checkpoint of the last 10 000 records.'],
      lines: lines(({ lastCheckpoint }) => lastCheckpoint / batchRows),
    },
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
  const kinds: readonly (readonly [string, (i: number) => OperatorSpec])[] = [
    ['means', (i) => meanOf(20 + i)],
    ['five operators in turn', (i) => turns[i % turns.length]!(i)],
  ]
  const point = (size: number, spec: (i: number) => OperatorSpec): EnginePoint => ({
    features: named(Array.from({ length: size }, (_, i) => spec(i))),
    keys: 0,
    rows: 200_000,
    rowsPerDay: 200,
  })
  const at = await costs(
    new Map(kinds.flatMap(([name, spec]) => sizes.map((size) => [`${size} features, ${name}`, point(size, spec)] as const))),
    options,
  )
  return [
    {
      name: 'growth-features',
      title: 'Features: processor time of push, ns a row and feature',
      subtitle: [
        'Windows from 20 records on, of one field, without keys.',
        'A level line is a cost that grows with the features and no faster.',
      ],
      across: 'features in the set',
      log: true,
      lines: kinds.map(([name]) => ({
        name,
        points: points(
          sizes,
          (size) => at(`${size} features, ${name}`),
          ({ warmNs }, size) => warmNs / size,
        ),
      })),
    },
  ]
}
