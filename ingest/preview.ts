/** What a load would do: the same differences, of which nothing is written. */
import type { Table } from '../schemas/record.ts'
import { Problem } from '../utilities/values/problem.ts'
import { bringTables, type TablePorts } from './cache.ts'
import { factMaker } from './facts-of.ts'
import { identityOf, readTable } from './files.ts'
import type { LoadOptions, LoadNews } from './load.ts'
import { orderFacts } from './order.ts'
import { loadPlace, type FactTotals, type LoadedTable } from './place.ts'
import { checkKeys, registerTables } from './table-rows.ts'
import { noFacts, sumOf, totalsOf } from './facts-to-write.ts'

export type Previewed = { readonly tables: readonly LoadedTable[]; readonly facts: { readonly [stream: string]: FactTotals } }

type Asked = Pick<LoadOptions, 'facts' | 'files' | 'partial' | 'strict' | 'signal'> & {
  readonly tables: readonly Table[]
  readonly report: (news: LoadNews) => void
}

export async function previewLoad(ports: TablePorts, options: Asked): Promise<Previewed> {
  const { tables, checkpoints, registry } = ports
  const { files, facts, signal, report } = options
  const place = await loadPlace(checkpoints)
  if (place.load)
    throw new Problem(`the load that was begun at ${place.load.since} is not done`, 'Finish it first: run it again without --dry-run.')
  checkKeys(options.tables, place)
  const known = await registerTables(registry, options.tables, { dryRun: true })
  await bringTables(ports, known, place, (rows) => report({ doing: 'restoring', rows, facts: 0 }))
  const read: LoadedTable[] = []
  try {
    for (const file of files) {
      const { name, key } = file.table
      const totals = await readTable(tables, file, { ...options, report: (rows) => report({ doing: 'reading', rows, facts: 0 }) })
      read.push({ table: name, key, ...(await identityOf(file, signal)), totals })
    }
    const totals: Record<string, FactTotals> = {}
    for (const { fact, stream } of facts.filter(({ retired }) => !retired)) {
      totals[stream.name] = noFacts
      const before = place.facts[stream.name]?.begun ?? false
      const found = (some: Parameters<typeof totalsOf>[0]) => {
        totals[stream.name] = sumOf(totals[stream.name]!, totalsOf(some))
        report({ doing: 'writing', rows: 0, facts: some.changes.count })
      }
      await orderFacts(tables, [{ fact, maker: factMaker(fact, tables) }], { before, found, signal })
    }
    return { tables: read, facts: totals }
  } finally {
    tables.discard()
  }
}
