/** `apply`: releases a version of a feature set, prepares its state, shows it to SQL users and hands the stream over to it. */
import { partitionsApplied, type Mode } from '../streams/position.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { keepModels } from '../streams/kept-models.ts'
import { registerInflow } from '../streams/inflow.ts'
import { knownVersions } from '../streams/known-versions.ts'
import { ensureTopics, routingFor } from '../streams/routing.ts'
import { ownerOf, streamOf } from '../streams/stream.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import type { Registered } from '../utilities/registry.ts'
import { beginInStream } from './begin-in-stream.ts'
import type { VersionPorts, Watch } from './bring.ts'
import { carryOut, checkPossible, clear } from './carry-out.ts'
import { refuseCold } from './check.ts'
import { outOfOrder } from './decide.ts'
import { refuseAmidstBackfill } from './handover.ts'
import { evolve, hasRowsOfHistory, isComplete, type SetState } from './journal.ts'
import { openJournal, timeText } from './keep.ts'
import { settle, type Asked } from './promote.ts'

export type ApplyOptions = Watch &
  Asked & {
    /** Every version of the set as the code has it, oldest first. */
    readonly chain: readonly Definition[]
    readonly version: number
    readonly mode: Mode
    /** How many inflow gets if it has to be made. */
    readonly partitions: number
    /** Has the stream begin that the version is over, where that has not begun yet. */
    readonly beginStream?: () => Promise<void>
  }

export async function apply(ports: VersionPorts, options: ApplyOptions): Promise<void> {
  const { version, mode, actor, signal } = options
  const { set } = options.chain[0]!
  await refuseAmidstBackfill(ports, set)
  // What is released already counts as it was released: the code may list its features in another order by now.
  const released = (await knownVersions(ports.registry, set)).find((one) => one.definition.version === version)
  const definition = released?.definition ?? options.chain[version]!
  refuseCold(definition, mode)
  const routing = await routingFor(ports, definition, options.partitions)
  const journal = await openJournal(ports, set, options.seen)
  try {
    const refused = outOfOrder(journal.state, version)
    if (refused) throw refused
    const by = { ...actor, at: timeText(ports.clock) }
    const partitions = (await partitionsApplied(ports.checkpoints, ownerOf(definition))) || routing.partitions
    const planned = { kind: 'planned', version, mode, partitions, schema: unregistered, record: unregistered, ...by } as const
    const own = journal.state.versions[version]
    const anew = !own || (own.mode !== mode && !isComplete(own))
    await checkPossible(ports, anew ? promotedToo(evolve(journal.state, planned), planned) : journal.state, signal, definition)
    signal.throwIfAborted()

    if (!definition.batchOnly) await ensureTopics(ports, streamOf(definition.record), routing.partitions)
    const record = schemaOf(await registerInflow(ports.registry, definition.record))
    // Before the schema that names them: whoever meets that finds the files.
    await keepModels(ports, options.chain[version]!)
    const registered = released?.registered ?? (await ports.registry.register(set, JSON.stringify(rowSchema(definition))))
    await ports.registry.label(registered.id, { set, version: String(version), mode })
    await options.beginStream?.()
    await beginInStream(ports, { definition, partitions: routing.partitions, mode, signal })
    // What another mode had begun is not gone on with.
    if (own && anew) await clear(ports, set, version, signal)
    await journal.decide({ kind: 'apply', version, mode, partitions, schema: schemaOf(registered), record, by })
    await carryOut(ports, journal, options, version)
    if ((await journal.decide({ kind: 'complete', version, by: { ...actor, at: timeText(ports.clock) } })).length > 0)
      await carryOut(ports, journal, options)
    await settle(ports, journal, options)
  } finally {
    await journal.close()
  }
}

const unregistered = { id: '', definition: '' }
const schemaOf = ({ id, definition }: Registered) => ({ id, definition })

/** The state that the command leads to: what it needs must be there before it begins. */
const promotedToo = (
  state: SetState,
  {
    version,
    mode,
    who,
    at,
    why,
  }: { readonly version: number; readonly mode: Mode; readonly who: string; readonly at: string; readonly why: string | null },
) => (hasRowsOfHistory({ mode }) ? state : evolve(state, { kind: 'promoted', version, who, at, why }))
