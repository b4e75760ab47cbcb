/**
 * The files of models, kept with the checkpoints in pieces that fit into messages: a consumer on another machine has them, and so has a
 * version whose file is gone from where its definitions lie.
 */
import type { Definition } from '../feature-defs/feature-set.ts'
import { isModel, isSealed } from '../feature-defs/models/model.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Log } from '../utilities/log.ts'
import type { Models } from '../utilities/models.ts'
import { fromBytes, toBytes } from './position.ts'

type Ports = { readonly checkpoints: Checkpoints; readonly log: Log; readonly models: Models }

const nameOf = (sha256: string) => `model/${sha256}`
/** Written behind the pieces: without it some may be missing. */
const wholeKey = 'whole'
const pieceBytes = 256 * 1024
const piecesPerCommit = 8

/** Sorts as it counts. */
const keyOf = (piece: number) => String(piece).padStart(6, '0')

export async function keptModel(checkpoints: Checkpoints, sha256: string): Promise<Uint8Array | undefined> {
  const there = await checkpoints.load(nameOf(sha256))
  const whole = there.get(wholeKey)
  if (!whole) return undefined
  const pieces = fromBytes<number>(whole)
  return Buffer.concat(Array.from({ length: pieces }, (_, i) => there.get(keyOf(i)) ?? new Uint8Array()))
}

/** Those of the version that are not kept yet. */
export async function keepModels({ checkpoints, log, models }: Ports, { features }: Definition): Promise<void> {
  for (const { spec, path } of features) {
    if (!isModel(spec) || !isSealed(spec)) continue
    const { of: name, sha256, runtime } = spec
    if ((await checkpoints.load(nameOf(sha256))).has(wholeKey)) continue
    await keep(log, sha256, await models.read({ name, sha256, runtime, ...(path !== undefined && { path }) }))
  }
}

async function keep(log: Log, sha256: string, bytes: Uint8Array): Promise<void> {
  const name = nameOf(sha256)
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, i) => bytes.slice(i * pieceBytes, (i + 1) * pieceBytes))
  const writer = await log.writer(name)
  try {
    for (let first = 0; first < pieces.length; first += piecesPerCommit) {
      const some = pieces.slice(first, first + piecesPerCommit)
      await writer.commit({ save: some.map((value, i) => ({ name, key: keyOf(first + i), value })) })
    }
    await writer.commit({ save: [{ name, key: wholeKey, value: toBytes(pieces.length) }] })
  } finally {
    await writer.close()
  }
}
