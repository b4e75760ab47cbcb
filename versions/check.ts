/** What may be released: versions come in order, and released ones are never edited. */
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { versionFingerprint } from '../feature-defs/fingerprint.ts'
import { keyWords, samePer } from '../feature-defs/keys.ts'
import { inWords } from '../feature-defs/in-words.ts'
import { knownVersions } from '../streams/known-versions.ts'
import { streamOf } from '../streams/stream.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import { inflowSchema } from '../schemas/avro/schema.ts'
import { isFact } from '../schemas/fact.ts'
import type { Mode } from '../streams/position.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Registry } from '../utilities/registry.ts'
import { featureChanges } from './changes.ts'

/** The versions of the code are those that were released, as they were, and this one is over the record of the one before. */
export async function checkReleased(registry: Registry, chain: readonly Definition[], version: number): Promise<void> {
  const [before, after] = [chain[version - 1]?.record.name, chain[version]!.record.name]
  if (before !== undefined && before !== after) {
    throw new Problem(
      `${chain[0]!.set}@${version} is over ${after}, and ${chain[0]!.set}@${version - 1} over ${before}: ` +
        'a message of one is none of the other',
      'Give its features a set of their own, or keep the name of the record.',
    )
  }
  for (const { definition } of await knownVersions(registry, chain[0]!.set)) checkUnedited(definition, chain[definition.version])
}

/** A feature of facts is a function of all that stand: one that began with some of them would never be right. */
export function refuseCold({ set, version, record }: Definition, mode: Mode): void {
  if (mode !== 'cold' || !isFact(record)) return
  throw new Problem(
    `${set}@${version} is over facts, whose features are of all that stand: it cannot begin without those that came before`,
    `Run: tidemark apply ${set}@${version} --forward-only, which brings its state up to date and writes rows from now on.`,
  )
}

/** Why the registry would not take the version: its rows' schema, or the one of its records in inflow. */
export async function reasonsAgainst(registry: Registry, definition: Definition): Promise<readonly string[]> {
  const { set, version, record } = definition
  const released = (await knownVersions(registry, set)).find((one) => one.definition.version === version)
  const reasons = [
    ...(await registry.reasonsAgainst(set, released?.registered.definition ?? JSON.stringify(rowSchema(definition)))),
    ...(await registry.reasonsAgainst(streamOf(record).name, JSON.stringify(inflowSchema(record)))),
  ]
  return [...new Set(reasons)]
}

export function checkUnedited(released: Definition, inCode: Definition | undefined): void {
  if (!inCode) {
    throw new Problem(
      `${label(released)} is released, but the definitions have no version ${released.version} of ${released.set}`,
      'Put it back: released versions stay in the file.',
    )
  }
  if (versionFingerprint(inCode) === versionFingerprint(released)) return
  const features = featureChanges(released, inCode).flatMap(({ feature, before, after }) => {
    const [was, is] = [before ? inWords(before) : 'not there', after ? inWords(after) : 'gone']
    return was === is ? [] : [`${feature} was ${was} and is now ${is}`]
  })
  const what = [...recordEdits(released, inCode), ...features]
  throw new Problem(
    `${label(released)} is released and was edited${what.length > 0 ? `: ${what.join('; ')}` : ''}`,
    `Put version ${released.version} back as it was, and add the next version with v${released.version}.add({ … }) or ` +
      `v${released.version}.replace({ … }).`,
  )
}

/** What a version takes in, where it was edited: the record's fields, their order, and the key. */
function recordEdits(released: Definition, inCode: Definition): string[] {
  const inWords = ({ record }: Definition, name: string) => {
    const field = record.fields[name]
    return field ? `${field.nullable ? 'a nullable' : 'a'} ${field.kind}` : 'not there'
  }
  const [was, is] = [Object.keys(released.record.fields), Object.keys(inCode.record.fields)]
  const fields = [...new Set([...was, ...is])].flatMap((name) => {
    const [before, now] = [inWords(released, name), inWords(inCode, name)]
    return before === now ? [] : [`field ${name} was ${before} and is now ${now}`]
  })
  return [
    ...fields,
    ...(fields.length === 0 && was.join() !== is.join() ? [`the fields of ${inCode.record.name} stand in another order`] : []),
    ...(released.record.at === inCode.record.at ? [] : [`the event date was ${released.record.at} and is now ${inCode.record.at}`]),
    ...(samePer(released.per, inCode.per) ? [] : [`it was per ${keyWords(released.per)} and is now per ${keyWords(inCode.per)}`]),
    ...(released.batchOnly === inCode.batchOnly ? [] : [`it was ${released.batchOnly ? '' : 'not '}batch only`]),
  ]
}
