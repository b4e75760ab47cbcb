/** What may be applied: versions come in order, and released ones are never edited. */
import { loadPositions, running, type Position } from '../feature-defs/checkpoint.ts'
import { label, type Definition } from '../feature-defs/feature-set.ts'
import { versionFingerprint } from '../feature-defs/fingerprint.ts'
import { knownVersions } from '../feature-defs/known-versions.ts'
import { rowSchema } from '../feature-defs/row-schema.ts'
import { inflowSchema } from '../schemas/avro.ts'
import { Problem } from '../utilities/problem.ts'
import type { VersionRecord } from '../utilities/warehouse/warehouse.ts'
import { featureChanges, inWords } from './changes.ts'
import type { VersionPorts } from './growth.ts'
import { staleLabels } from './live.ts'

type Ports = Pick<VersionPorts, 'registry' | 'checkpoints' | 'warehouse'>

/** Says whether there is anything to do, or refuses. */
export async function checkApply(ports: Ports, chain: readonly Definition[], version: number): Promise<'nothing' | 'new' | 'unfinished'> {
  const { set } = chain[0]!
  if (!chain[version]) throw new Problem(`there is no ${set}@${version}`, `The definitions have versions 0 to ${chain.length - 1} of ${set}.`)
  const released = (await knownVersions(ports.registry, set)).map(({ definition }) => definition)
  for (const definition of released) checkUnedited(definition, chain[definition.version])
  if (version > released.length) throw new Problem(`${set}@${released.length} is not applied yet, and versions come in order`, `Run first: tidemark apply ${set}@${released.length}`)
  if (version === released.length) {
    const previous = version === 0 ? undefined : await stateOf(ports, set, version - 1)
    if (previous === 'unfinished') throw new Problem(`${set}@${version - 1} is not finished`, `Finish it first: tidemark apply ${set}@${version - 1}`)
    return 'new'
  }
  if (version < released.length - 1) {
    throw new Problem(`${set}@${version} was applied before, and ${set}@${released.length - 1} after it`, `To show it again: tidemark promote ${set}@${version}, or step back with: tidemark rollback ${set}`)
  }
  const done = (await stateOf(ports, set, version)) === 'done' && (await staleLabels(ports, set)).length === 0
  return done ? 'nothing' : 'unfinished'
}

async function stateOf({ checkpoints, warehouse }: Ports, set: string, version: number): Promise<'done' | 'unfinished'> {
  const positions = await loadPositions(checkpoints, set)
  const records = await warehouse.versions(set)
  const record = records.find((one) => one.version === version)
  if (!record || record.state === 'registered' || record.state === 'filling' || !isComputed(positions, version)) return 'unfinished'
  return record.state === 'promoted' && overdue(positions, records).length > 0 ? 'unfinished' : 'done'
}

/** Whether every partition has gone over to the version, at whatever time. */
export const isComputed = (positions: readonly Position[], version: number): boolean => positions.every(({ runs }) => runs.some((run) => run.version === version))

/** Versions that were superseded and have not been told to stop. */
export const overdue = (positions: readonly Position[], records: readonly VersionRecord[]): readonly number[] =>
  [...new Set(positions.flatMap(running).map(({ version }) => version))].filter((version) => records.some((one) => one.version === version && one.state !== 'promoted' && one.state !== 'shadow' && one.state !== 'filling'))

/** Why the registry would not take the version: its rows' schema, or the one of its records in inflow. */
export async function reasonsAgainst(registry: VersionPorts['registry'], definition: Definition): Promise<readonly string[]> {
  const { set, record } = definition
  const reasons = [
    ...(await registry.reasonsAgainst(set, JSON.stringify(rowSchema(definition)))),
    ...(await registry.reasonsAgainst(record.name, JSON.stringify(inflowSchema(record)))),
  ]
  return [...new Set(reasons)]
}

export function checkUnedited(released: Definition, inCode: Definition | undefined): void {
  if (!inCode) {
    throw new Problem(`${label(released)} is released, but the definitions have no version ${released.version} of ${released.set}`, 'Put it back: released versions stay in the file.')
  }
  if (versionFingerprint(inCode) === versionFingerprint(released)) return
  const features = featureChanges(released, inCode).flatMap(({ feature, before, after }) => {
    const [was, is] = [before ? inWords(before) : 'not there', after ? inWords(after) : 'gone']
    return was === is ? [] : [`${feature} was ${was} and is now ${is}`]
  })
  const what = [...recordEdits(released, inCode), ...features]
  throw new Problem(`${label(released)} is released and was edited${what.length > 0 ? `: ${what.join('; ')}` : ''}`,
    `Put version ${released.version} back as it was, and add the next version with v${released.version}.add({ … }) or v${released.version}.replace({ … }).`)
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
    ...(released.per === inCode.per ? [] : [`it was per ${released.per ?? 'nothing'} and is now per ${inCode.per ?? 'nothing'}`]),
    ...(released.batchOnly === inCode.batchOnly ? [] : [`it was ${released.batchOnly ? '' : 'not '}batch only`]),
  ]
}
