/** `backfill`: years of a file through the same engine, into the warehouse or, with --out, into files. */
import type { CommandBody } from './command.ts'

/** Each loads only what it needs: files need none of the parts. */
export const run: CommandBody = async (context) => {
  const { run } = context.options['out'] === undefined ? await import('./backfill-warehouse.ts') : await import('./backfill-files.ts')
  return run(context)
}
