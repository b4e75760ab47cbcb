/** `backfill --out`: years of a file into files of a version's rows, from the file alone; no store is read, made or changed. */
import { compute, type Computed } from '../batch/files.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import type { Years } from '../schemas/csv/selection.ts'
import type { Clock } from '../utilities/values/clock.ts'
import { rejectsFile } from '../utilities/files/rejects.ts'
import type { Models } from '../utilities/models.ts'
import type { Source } from '../utilities/source.ts'
import { refuseFacts } from '../streams/of-tables.ts'
import { columnsOf } from '../versions/layout.ts'
import { refuseNothing } from './file-rows.ts'
import { checkPartition, unlessAborted, type MadeFiles, type MakeFiles } from './row-files.ts'

type FilesAsked = {
  /** The versions up to the one that is computed. */
  readonly chain: readonly Definition[]
  readonly years: Years
  readonly strict: boolean
  /** Its name as it was given. */
  readonly file: string
  readonly partitionBy: string | undefined
  readonly signal: AbortSignal
  readonly report: (news: { readonly rows: number }) => void
}

type Ports = { readonly openSource: () => Promise<Source>; readonly clock: Clock; readonly models: Models; readonly makeFiles: MakeFiles }

/** undefined when it was told to stop: nothing is written then. */
export async function backfillFiles(ports: Ports, asked: FilesAsked): Promise<(Computed & MadeFiles) | undefined> {
  const { clock, models, makeFiles } = ports
  const { chain, years, file, partitionBy, signal } = asked
  const definition = chain.at(-1)!
  refuseFacts(definition.record)
  const columns = columnsOf(chain, definition.version)
  checkPartition(partitionBy, label(definition), columns)
  const source = await ports.openSource()
  let done: Computed | undefined
  const made = await unlessAborted(
    signal,
    makeFiles(columns, async (write, rejects) => {
      done = await compute({ source, clock, rejects: rejectsFile(rejects), models, write }, { ...asked, definition })
      refuseNothing(file, years, { ...done, interrupted: false }, null)
    }),
  )
  return made && done && { ...done, ...made }
}
