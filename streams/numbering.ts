/** How the rows of several files are numbered one behind the other, and how a file is known again, also when it has grown. */
import { readCsv } from '../schemas/csv/read.ts'
import { sourceRecord, type RecordSchema } from '../schemas/record.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import { Problem } from '../utilities/values/problem.ts'
import { sameForm, type Source, type SourceFile, type SourceIdentity } from '../utilities/source.ts'
import type { Registry } from '../utilities/registry.ts'
import { loadAllPositions } from './position.ts'
import { loadHeld } from './held.ts'
import { setsOver } from './known-versions.ts'
import { streamOf, type Stream } from './stream.ts'

type Ports = { readonly checkpoints: Checkpoints; readonly registry: Registry }

/** A file that rows were taken of; `latest` is the last of them, null while a batch is still at it. */
type Known = { readonly source: SourceIdentity; readonly base: number; readonly latest: number | null }

/** By `produce` or by `backfill`, the newest last. Each stream has numbers of its own. */
async function numbered({ checkpoints, registry }: Ports, stream: Stream, exceptSet: string | undefined): Promise<readonly Known[]> {
  const positions = await loadAllPositions(checkpoints, await setsOver(registry, stream))
  const pieces = positions.flatMap(({ position }) => position.history).filter((piece) => piece.kind === 'batch')
  const holds = positions.flatMap(({ set, position: { hold } }) =>
    hold?.kind === 'backfill' && hold.base !== null && set !== exceptSet ? [{ source: hold.source, base: hold.base, latest: null }] : [],
  )
  return [
    ...[...(await loadHeld(checkpoints, stream)), ...pieces].map(({ source, base, lastSeq }) => ({ source, base, latest: lastSeq })),
    ...holds,
  ]
}

export type Numbering = {
  readonly source: Source
  readonly identity: SourceIdentity
  readonly record: RecordSchema
  readonly carryOn: boolean
  /** The set whose own batch it is: its hold tells nothing. */
  readonly exceptSet?: string
  readonly signal: AbortSignal
}

/**
 * The number to add to this file's row numbers: the same as before for the same file, 0 for the first, behind all others with `carryOn`.
 */
export async function baseFor(ports: Ports, { source, identity, record, carryOn, exceptSet, signal }: Numbering): Promise<number> {
  const known = await numbered(ports, streamOf(record), exceptSet)
  const same = known.find((one) => one.source.sha256 === identity.sha256)
  if (same) return asWritten(same, identity).base
  const before = await grownFrom(source, identity, known, signal)
  if (before) {
    const next = known.find(({ base }) => base > before.base)
    if (next) throw grownAmidst(before.source, next.source)
    await checkSeam(source, before.source, record, signal)
    return asWritten(before, identity).base
  }
  const previous = known.at(-1)
  if (!previous) return 0
  const atWork = known.find(({ latest }) => latest === null)
  if (carryOn && atWork) {
    throw new Problem(
      `a backfill from ${atWork.source.name} has not finished, so that it is not known yet where ${identity.name} goes on`,
      'Let it finish, or run it again to finish it; then run this again.',
    )
  }
  const intruder = await source.intruder?.(previous.source)
  if (intruder !== undefined) throw cameBetween(intruder, previous.source, source)
  if (!carryOn) {
    throw new Problem(
      `rows so far came from ${describe(previous.source)}, and ${describe(identity)} is another file`,
      'Use the same file, or pass --continue to number this one on behind it.',
    )
  }
  return Math.max(...known.map(({ latest }) => latest ?? 0))
}

/** The same bytes with other delimiters or words for null are other rows. */
function asWritten(known: Known, { name, form }: SourceIdentity): Known {
  if (sameForm(known.source.form, form)) return known
  const shown = (one: SourceIdentity['form']) => (one ? JSON.stringify(one) : 'the defaults')
  throw new Problem(
    `${name} was read with ${shown(known.source.form)} when its rows were taken, and now it is to be read with ${shown(form)}`,
    'Use the same delimiter, words for null and forms of dates as then.',
  )
}

/** The largest of the files known that this one begins with. */
async function grownFrom(
  source: Source,
  { size }: SourceIdentity,
  known: readonly Known[],
  signal: AbortSignal,
): Promise<Known | undefined> {
  for (const one of known.filter((one) => one.source.size < size).sort((a, b) => b.source.size - a.source.size)) {
    if (await beginsWith(source, one.source, signal)) return one
  }
  return undefined
}

const beginsWith = async (source: Source, before: SourceIdentity, signal?: AbortSignal): Promise<boolean> =>
  (await source.asOf(before).identify(signal)).sha256 === before.sha256

/** What was read to the end of the last file then must be what is read there now. */
async function checkSeam(source: Source, before: SourceIdentity, record: RecordSchema, signal: AbortSignal): Promise<void> {
  const filesThen = await source.asOf(before).files()
  const then = filesThen.at(-1)!
  const now = (await source.files())[filesThen.length - 1]!
  let length = 0
  let lastByte = newline
  const text: SourceFile['read'] = async function* (...asked) {
    for await (const chunk of then.read(...asked)) {
      length += chunk.length
      lastByte = chunk.at(-1) ?? lastByte
      yield chunk
    }
  }
  for await (const { rejects } of readCsv(sourceRecord(record), text(signal), { ...then, mayLack: true })) {
    if (rejects.some(({ reason }) => reason === 'the quote is never closed')) throw cutAmidst(before)
  }
  if (lastByte === newline) return
  for await (const chunk of now.read(signal)) {
    if (length < chunk.length) {
      if (chunk[length] === newline || chunk[length] === carriageReturn) return
      throw cutAmidst(before)
    }
    length -= chunk.length
  }
}

const newline = 10
const carriageReturn = 13

const ownFile = 'Put what is new into a file of its own, with the header, and pass --continue.'

const cutAmidst = ({ name }: SourceIdentity) =>
  new Problem(`${name} ended in the middle of a line when its rows were taken, and that line goes on now`, ownFile)

const grownAmidst = (before: SourceIdentity, next: SourceIdentity) =>
  new Problem(`${before.name} has grown since its rows were taken, and ${next.name} was numbered on behind it meanwhile`, ownFile)

const cameBetween = (name: string, { files, name: folder }: SourceIdentity, { place }: Source) =>
  new Problem(
    `${name} has come into ${place} since rows of ${folder} were taken, and its name comes before ${files!.last}`,
    'Give it a name that comes behind; or move it away and take it by itself, with --file and --continue.',
  )

const describe = ({ name, size, sha256 }: SourceIdentity) => `${name} (${size} bytes, sha256 ${sha256.slice(0, 12)}…)`
