/** `schemas`: what the registry holds, and any definition in it. */
import { listSchemas } from '../use-cases/schemas.ts'
import type { CommandBody } from './command.ts'
import { table } from './console.ts'
import { firstApply, nothingYet } from './first-apply.ts'
import { withAnyTopicsToRead } from './stage.ts'

export const run: CommandBody = async ({ args, config, console }) =>
  withAnyTopicsToRead({ config, console }, async ({ registry }) => {
    const schemas = await listSchemas(registry, args[0], () => nothingYet(config))
    if ('found' in schemas) {
      const { found } = schemas
      console.note(`${found.subject}, number ${found.number}`)
      return console.result(JSON.stringify(found.definition, null, 2), found)
    }
    const rows = schemas.listed.map(({ subject, number, id, version, live, features }) => [
      subject,
      number,
      id,
      version ?? '',
      live ?? '',
      Object.entries(features)
        .map(([name, words]) => `${name} = ${words}`)
        .join('; '),
    ])
    const text = table(['subject', 'number', 'id', 'version', 'live', 'features'], rows, { widest: 120 })
    console.result(rows.length === 0 ? `no schema is registered yet: ${await firstApply(config)}` : text, schemas.listed)
  })
