/** `verify FACT`: proves that tables, `inflow` and the warehouse have the same facts. */
import type { Config } from '../config/shape.ts'
import { leaseHolders, wireScratchTables, type Ports } from '../config/wire.ts'
import { verifyFact } from '../use-cases/verify-fact.ts'
import type { Lease } from '../utilities/lease.ts'
import { count } from '../utilities/values/digits.ts'
import type { Context } from './command.ts'
import { table } from './console.ts'
import { withPortsToRead } from './stage.ts'

export async function verifyFactNamed(fact: string, { config, console, signal }: Context): Promise<number> {
  return withPortsToRead({ config, console }, async (ports) => {
    const progress = console.progress(`verify ${fact}`)
    const tables = await wireScratchTables(config)
    const proof = await verifyFact({ ...ports, tables, border: () => borderOf(ports, config) }, { fact, signal, report: progress }).finally(
      () => tables.close(),
    )
    // A script must not take it for one.
    if (!proof) {
      console.result('interrupted: nothing is proved', { fact, equal: null })
      return 1
    }
    const { versions, facts, notSunk, differences, equal } = proof
    const all = versions > 1 ? `${count(facts)} facts, of ${versions} versions,` : `${count(facts)} facts`
    const rest = notSunk > 0 ? ` (in the warehouse without ${count(notSunk)} that the sink has still to bring)` : ''
    if (equal) {
      console.result(`${fact}: ${all} of the tables, of inflow and in the warehouse are equal${rest}`, { fact, ...proof })
      return 0
    }
    const cells = proof.first.map((one) => [
      one.key,
      ...(versions > 1 ? [one.version ?? 0] : []),
      one.column,
      one.tables,
      one.inflow,
      one.table,
    ])
    const first = table(['key', ...(versions > 1 ? ['version'] : []), 'column', 'tables', 'inflow', `table ${fact}`], cells)
    console.result(`${fact}: ${count(differences)} differences in ${all.replace(/,$/, '')}${rest}; the first:\n${first}`, {
      fact,
      ...proof,
    })
    console.note(`tidemark: the facts ${fact} are not the same everywhere. To have those in the warehouse made again: tidemark repair`)
    return 1
  })
}

/**
 * Who reads topics has a break while others have the border. Where nobody does, it is left to whoever comes, and nothing is written here.
 */
async function borderOf(ports: Ports, { dataDir }: Config): Promise<Lease | undefined> {
  const isRead = (await leaseHolders(dataDir)).some(({ name }) => name === 'topics')
  // Who may only look goes without, and so does who comes while somebody loads.
  return isRead ? ports.lease('ingest').catch(() => undefined) : undefined
}
