/**
 * Hands a definition to Glue: as a further version of its schema, or as the first of a new one, in a registry that is made when it is
 * missing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../values/problem.ts'
import type { GlueDoor } from './client.ts'
import { pauses } from './versions.ts'

export type Submission = {
  readonly region: string
  readonly registry: string
  readonly compatibility: string
  readonly subject: string
  readonly definition: string
  /** Whether the schema was there when it was looked for; others may make it, or delete it, at the same time. */
  readonly exists: boolean
  readonly pace: number
  readonly waitMs: number
  readonly note: (text: string) => void
}

/** The new version's id; whether it comes into force is still open. */
export async function submitSchema(
  glue: GlueDoor,
  { region, registry, compatibility, subject, definition, exists, pace, waitMs, note }: Submission,
): Promise<string> {
  const waits = pauses(waitMs)
  for (let further = exists; ;) {
    if (further) {
      const answer = await glue.ask(
        'registerSchemaVersion',
        { SchemaId: { RegistryName: registry, SchemaName: subject }, SchemaDefinition: definition },
        'missing',
      )
      if (answer !== 'missing') return answer.SchemaVersionId!
      further = false
    } else {
      const schema = {
        RegistryId: { RegistryName: registry },
        SchemaName: subject,
        DataFormat: 'AVRO',
        Compatibility: compatibility,
        SchemaDefinition: definition,
      } as const
      const answer = await glue.ask('createSchema', schema as Parameters<typeof glue.ask<'createSchema'>>[1], 'missing', 'exists')
      if (typeof answer !== 'string') return answer.SchemaVersionId!
      if (answer === 'exists') further = true
      else {
        const made = await glue.ask(
          'createRegistry',
          { RegistryName: registry, Description: 'Schemas of Tidemark: topics and feature versions.' },
          'exists',
        )
        if (made !== 'exists') note(`made the registry ${registry} in Glue, ${region}`)
      }
    }
    const pause = waits.next()
    if (pause.done)
      throw new Problem(
        `Glue says of the schema ${subject} that it is there, and that it is not`,
        'Run this again in a while; it may be about to be deleted.',
      )
    await sleep(pause.value * pace)
  }
}
