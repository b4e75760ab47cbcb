/** Where the rows come from that features are looked for in: the warehouse, or folders of what was exported from one. */
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { isFact } from '../schemas/fact.ts'
import type { ColumnFile } from '../utilities/column-file.ts'
import { between, columnOf, type Columns } from '../utilities/values/columns.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import type { PromotionAt } from '../versions/promotions.ts'
import type { RowsThere, VersionThere } from './asked-features.ts'

/** By set@version, how far the rows of an earlier time went: none behind that are looked at. */
export type Cuts = ReadonlyMap<string, number | null>

type Rows = Awaited<ReturnType<RowsThere['rowsOf']>>

export async function rowsInWarehouse(
  warehouse: Warehouse,
  promotionsOf: (set: string) => Promise<readonly PromotionAt[]>,
  cuts?: Cuts,
): Promise<RowsThere & Pick<Warehouse, 'asOfStatement'>> {
  const records = await warehouse.versions()
  const versions = records.map(({ definition, state }): VersionThere => ({ definition: JSON.parse(definition) as Definition, state }))
  return {
    versions: Map.groupBy(versions, ({ definition }) => definition.set),
    promotionsOf,
    asOf: warehouse.asOf?.bind(warehouse),
    asOfStatement: warehouse.asOfStatement.bind(warehouse),
    async rowsOf(definition): Promise<Rows> {
      const { set, version, record } = definition
      const extent = await warehouse.extent(set, version)
      const cut = cuts?.get(label(definition))
      const lastSeq = cut === undefined ? (extent?.last ?? null) : cut
      const range = extent && lastSeq !== null ? { first: extent.first, last: lastSeq } : undefined
      return {
        lastSeq,
        hasKnown: isFact(record),
        rows: (names) => (range ? warehouse.rows(set, version, range, isFact(record) ? ['_key', ...names] : names) : none()),
      }
    },
  }
}

async function* none(): AsyncGenerator<Columns> {}

export type RowFolders = ReadonlyMap<string, { readonly folder: string; readonly files: readonly ColumnFile[] }>

/** By set@version; sets that have no folder are those of the definitions, and nobody has their rows. */
export function rowsInFolders(folders: RowFolders, definitions: readonly Definition[], cuts?: Cuts): RowsThere {
  const versions = definitions.map((definition): VersionThere => ({ definition, state: 'promoted' }))
  return {
    versions: Map.groupBy(versions, ({ definition }) => definition.set),
    promotionsOf: async () => [],
    async rowsOf(definition): Promise<Rows> {
      const name = label(definition)
      const there = folders.get(name)
      if (!there)
        throw new Problem(
          `--rows names no folder for ${name}`,
          `Export them: tidemark export ${name} --out DIR; then --rows ${name}=DIR.`,
          { usage: true },
        )
      const { folder, files } = there
      const isThere = (column: string) => files.every(({ columns }) => columns.some((one) => one.name === column))
      if (isFact(definition.record) && !isThere('_known_ts'))
        throw new Problem(
          `${folder} does not say when changes came in: it has no column _known_ts`,
          `Export them again: tidemark export ${name} --out DIR.`,
        )
      if (isThere('_version')) await checkVersion(definition, folder, files)
      const cut = cuts?.get(name)
      const lastSeq = cut === undefined ? await lastIn(files) : cut
      return {
        lastSeq,
        hasKnown: isThere('_known_ts'),
        async *rows(names) {
          const lacking = names.find((one) => !isThere(one))
          if (lacking !== undefined)
            throw new Problem(`${folder} has no column ${lacking}`, `It must be an export of ${name}: tidemark export ${name} --out DIR.`)
          for (const file of files) {
            if (cut === undefined) yield* file.read(names)
            else for await (const rows of file.read(names)) yield between(rows, -Infinity, cut ?? -Infinity)
          }
        },
      }
    },
  }
}

async function checkVersion({ set, version }: Definition, folder: string, files: readonly ColumnFile[]): Promise<void> {
  for (const file of files) {
    for await (const rows of file.read(['_version'])) {
      const [found] = columnOf(rows, '_version', 'int').values
      if (found === version) break
      throw new Problem(`${folder} holds rows of version ${found}, not of ${set}@${version}`, 'Name the folder of that version.')
    }
  }
}

async function lastIn(files: readonly ColumnFile[]): Promise<number | null> {
  let last: number | null = null
  for (const file of files)
    for await (const rows of file.read(['_seq']))
      for (const seq of columnOf(rows, '_seq', 'int').values) if (last === null || seq > last) last = seq
  return last
}
