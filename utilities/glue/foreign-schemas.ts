/** Schemas that others have registered in AWS Glue, in whatever registry of the region: their messages name them by id. */
import { remembered, type ForeignSchemas } from '../foreign-schemas.ts'
import { openGlue } from './client.ts'
import { settledVersion } from './versions.ts'

/** What was just registered may not be seen yet, or is being checked. */
const [seenMs, checkedMs] = [1_500, 15_000]

/** `pace` makes every pause that much shorter: for tests. Opening asks nothing. */
export function openGlueSchemas(
  region: string,
  { pace = 1, nowMs = () => performance.now() }: { readonly pace?: number; readonly nowMs?: () => number } = {},
): ForeignSchemas & { close(): void } {
  const glue = openGlue(region, { pace })
  const schemas = remembered(async (id) => {
    const version = await settledVersion(glue, id, { pace, seenMs, checkedMs })
    return typeof version === 'string' ? undefined : version.definition
  }, nowMs)
  return { ...schemas, close: () => glue.close() }
}
