/** The batch: years of a file through the same engine into the warehouse, leaving the checkpoint that the stream resumes from. */
import { randomUUID } from 'node:crypto'
import { loadPosition, running, type BackfillHold } from '../streams/position.ts'
import type { Definition } from '../feature-defs/feature-set.ts'
import { loadHeld } from '../streams/held.ts'
import { knownVersions } from '../streams/known-versions.ts'
import { baseFor } from '../streams/numbering.ts'
import { refuseFacts } from '../streams/of-tables.ts'
import { producerName, streamOf } from '../streams/stream.ts'
import { tellNewest } from '../streams/tell-newest.ts'
import { ofYears, type Years } from '../schemas/csv/selection.ts'
import { distinctRecords } from '../schemas/csv/together.ts'
import { Problem } from '../utilities/values/problem.ts'
import { sameForm, type SourceIdentity } from '../utilities/source.ts'
import type { Warehouse } from '../utilities/warehouse.ts'
import { commitHeld, giveUp, holdsOf, standingHold, takeHold, type HoldPorts, type Standing } from './hold.ts'
import { forgetProgress, loadProgress } from './progress.ts'
import { openWork, type BackfillOptions, type BackfillPorts, type Backfilled, type Batch } from './share.ts'
import { work } from './work.ts'

export async function backfill(ports: BackfillPorts, options: BackfillOptions): Promise<Backfilled> {
  const { log, checkpoints, registry, source } = ports
  const { set, years, by, signal } = options
  const identity = await source.identify(signal)
  const definitions = async () => (await knownVersions(registry, set)).map(({ definition }) => definition)
  const { record, batchOnly } = await firstLive(ports, set, await definitions())
  refuseFacts(record)

  const left = await standingHold(checkpoints, set)
  const standing = left && isSame(left.hold, identity, years) ? left : undefined
  const numberFrom = () => baseFor(ports, { source, identity, record, carryOn: options.continue, signal, exceptSet: set })
  const base =
    standing?.hold.base ??
    (await numberFrom().catch(async (error: unknown) => {
      // A damaged copy of the same file is not another file.
      await source.prove(signal)
      throw error
    }))
  if (left && !standing) await takeBack(ports, set, left, { by, signal })

  const token = randomUUID()
  const parts = await takeHold(ports, set, { by, token, source: identity, place: source.place, years, base }, standing, signal)
  let batch: Batch | undefined
  try {
    // A producer that runs has not seen the hold: it ends, and when it is run again it does.
    if (!batchOnly) await (await log.writer(producerName(streamOf(record)))).close()
    // What was looked at before the hold may have changed until then.
    if (!standing && (await numberFrom()) !== base) throw new Problem('rows of another file were taken at the same time', 'Run this again.')
    const known = await definitions()
    const live = new Set(parts.flatMap(({ position }) => running(position).map(({ version }) => version)))
    const records = distinctRecords(known.filter(({ version }) => live.has(version)).map((definition) => definition.record))
    const after = standing?.after ?? Math.max(...parts.map((part) => part.after))
    const [finished, wrote] = [standing?.finished ?? 0, standing !== undefined]
    const begun: Batch = { ports, options, identity, base, token, records, batchOnly, finished, after, wrote }
    batch = begun
    const held = batchOnly ? [] : (await loadHeld(checkpoints, streamOf(record))).filter((take) => take.base === base)
    const works = await Promise.all(parts.map((part) => openWork(begun, part, { known, held })))
    const done = await work(begun, works, () => removeRows(ports, set, parts, begun))
    if (!done.interrupted) await tellNewest(ports, { set, isTold: (version) => live.has(version), signal })
    return done
  } catch (error) {
    if (batch ? !batch.wrote : !standing) await giveUp(ports, set, parts, token).catch(() => {})
    throw error
  } finally {
    for (const { writer } of parts) await writer.close()
  }
}

const isSame = (hold: BackfillHold, { sha256, form }: SourceIdentity, years: Years) =>
  hold.source.sha256 === sha256 && sameForm(hold.source.form, form) && hold.years.join() === years.join()

async function firstLive(
  { checkpoints }: Pick<BackfillPorts, 'checkpoints'>,
  set: string,
  known: readonly Definition[],
): Promise<Definition> {
  const [first] = running(await loadPosition(checkpoints, set, 0))
  const definition = known.find(({ version }) => version === first?.version)
  if (!definition) throw new Problem(`no version of ${set} is applied`, `Run: tidemark apply ${set}@0`)
  return definition
}

type UndoPorts = HoldPorts & { readonly warehouse: Warehouse }
type Who = { readonly by: string; readonly signal: AbortSignal }

/** Takes back what an unfinished backfill wrote. */
export async function undoBackfill(ports: UndoPorts, set: string, who: Who): Promise<boolean> {
  const hold = (await holdsOf(ports.checkpoints, set)).find((one) => one !== undefined)
  if (!hold) return false
  const standing = await standingHold(ports.checkpoints, set)
  if (standing) await takeBack(ports, set, standing, who)
  else await liftHolds(ports, set, hold, who)
  return true
}

/** Of a batch that was cut short while it set them, and wrote nothing. */
async function liftHolds(ports: UndoPorts, set: string, hold: BackfillHold, { by, signal }: Who): Promise<void> {
  const token = randomUUID()
  const parts = await takeHold(ports, set, { ...hold, by, token }, undefined, signal)
  try {
    await giveUp(ports, set, parts, token)
  } finally {
    for (const { writer } of parts) await writer.close()
  }
}

async function takeBack(ports: UndoPorts, set: string, standing: Standing, { by, signal }: Who): Promise<void> {
  const { hold, after, finished } = standing
  if (finished > 0) {
    throw new Problem(
      `the backfill${ofYears(hold.years)} from ${hold.source.name} is complete in some partitions already`,
      'Run the same backfill again to finish it.',
    )
  }
  const token = randomUUID()
  const parts = await takeHold(ports, set, { ...hold, by, token }, standing, signal)
  try {
    await removeRows(ports, set, parts, { after, token })
  } finally {
    for (const { writer } of parts) await writer.close()
  }
}

type Parts = Awaited<ReturnType<typeof takeHold>>

/**
 * The progress first: without it whoever goes on after a kill begins anew, and misses no row that is gone. Then the rows, then the hold.
 */
async function removeRows(ports: UndoPorts, set: string, parts: Parts, { after, token }: Pick<Batch, 'after' | 'token'>): Promise<void> {
  for (const part of parts) {
    const progress = await loadProgress(
      ports.checkpoints,
      set,
      part.partition,
      running(part.position).map(({ version }) => version),
    )
    await commitHeld(ports, set, part, token, forgetProgress(set, part.partition, progress))
  }
  const versions = new Set(parts.flatMap(({ position }) => running(position).map(({ version }) => version)))
  for (const version of versions) await ports.warehouse.remove(set, version, { first: after + 1, last: Number.MAX_SAFE_INTEGER })
  await giveUp(ports, set, parts, token)
}
