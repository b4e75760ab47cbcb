/** `schemas`: what the registry holds, and any definition in it. */
import type { Definition } from '../feature-defs/feature-set.ts'
import { definitionOf } from '../feature-defs/row-schema.ts'
import { Problem } from '../utilities/problem.ts'
import type { Registered } from '../utilities/registry/registry.ts'
import { inWords } from '../versions/changes.ts'
import type { Run } from './command.ts'
import { table, type Json } from './console.ts'
import { firstApply, nothingYet } from './sets.ts'
import { withAnyTopicsToRead } from './stage.ts'

export const run: Run = async ({ args, config, console }) =>
  withAnyTopicsToRead({ config, console }, async ({ registry }) => {
    const wanted = args[0]
    const found = wanted !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(wanted) ? await registry.find(wanted.toLowerCase()) : undefined
    if (found) {
      console.note(`${found.subject}, number ${found.number}`)
      const definition = JSON.parse(found.definition) as Json
      return console.result(JSON.stringify(definition, null, 2), { ...inShort(found), definition })
    }
    const subjects = await registry.subjects()
    if (wanted !== undefined && !subjects.includes(wanted)) {
      const todo = subjects.length > 0 ? `Its subjects are ${subjects.join(', ')}; their ids: tidemark schemas` : `It is empty. ${await nothingYet(config)}`
      throw new Problem(`the registry has no subject or schema version ${wanted}`, todo)
    }
    const listed = (await Promise.all((wanted === undefined ? subjects : [wanted]).map((subject) => registry.list(subject)))).flat()
    const rows = listed.map((one) => {
      const { subject, number, id, version, live, features } = inShort(one)
      return [subject, number, id, version, live, Object.entries(features).map(([name, words]) => `${name} = ${words}`).join('; ')]
    })
    const shown = rows.map((row) => row.map((cell) => cell ?? ''))
    const text = table(['subject', 'number', 'id', 'version', 'live', 'features'], shown, { widest: 120 })
    console.result(rows.length === 0 ? `no schema is registered yet: ${await firstApply(config)}` : text, listed.map(inShort))
  })

function inShort(registered: Registered) {
  const { subject, number, id, labels } = registered
  const definition = readable(registered)
  const stated = labels['version'] === undefined ? null : Number(labels['version'])
  const features = Object.fromEntries((definition?.features ?? []).map(({ name, spec }) => [name, inWords(spec)]))
  return { subject, number, id, version: definition?.version ?? stated, live: labels['live'] ?? null, features, labels }
}

/** A look at the registry shows also what this program must not run. */
function readable({ definition }: Registered): Definition | undefined {
  try {
    return definitionOf(JSON.parse(definition))
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}
