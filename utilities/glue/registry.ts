/**
 * The registry in AWS Glue: a subject is a schema there, a label its versions' metadata; what was read once is read again when Glue is out
 * of reach.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Problem } from '../values/problem.ts'
import { openGlueCache } from './cache.ts'
import { showInCatalog } from './catalog.ts'
import { openGlue } from './client.ts'
import { readLabels, unknownVersion, writeLabels } from './labels.ts'
import { outageGuard } from './outage.ts'
import { submitSchema } from './submit.ts'
import { listSubjects, listVersions, pauses, sameDefinition, settledVersion, type readVersion } from './versions.ts'
import type { Incompatibility, Registered, Registry } from '../registry.ts'

export type GlueOptions = {
  readonly region: string
  readonly registry: string
  /** For schemas that are made here; one that is there keeps its own, which then holds. */
  readonly compatibility: string
  /** The database of the Data Catalog in which feature sets appear as tables; false for none. */
  readonly catalogDatabase: string | false
  /** The file in which answers are kept. */
  readonly cachePath: string
  /** Keeps nothing on disk. */
  readonly readOnly?: boolean
  /** The check of our own, which has the reasons that Glue does not give. */
  readonly incompatibilities: (compatibility: string) => Incompatibility
}

/** For tests: every pause that much shorter, and the time. */
export type GlueTuning = { readonly pace?: number; readonly nowMs?: () => number }

const longestDefinition = 170_000
const [seenMs, checkedMs, unknownMs, absentMs, restMs] = [15_000, 60_000, 1_500, 60_000, 15_000]
const asksAtOnce = 4

/** Opening makes nothing and asks nothing. */
export function openGlueRegistry(
  options: GlueOptions,
  note: (text: string) => void,
  { pace = 1, nowMs = () => performance.now() }: GlueTuning = {},
): Registry {
  const { region, registry } = options
  const glue = openGlue(region, { pace })
  const cache = openGlueCache(options.cachePath, `${region}/${registry}`, options)
  const reading = outageGuard(note, restMs * pace, nowMs)
  /** Versions this process has seen come into force: a list may lag behind. */
  const mine = new Map<string, string>()
  /** A stream of messages with an id that nobody knows is no reason to ask for each. */
  const absentUntil = new Map<string, number>()

  const settled = (id: string, missingMs = seenMs) => settledVersion(glue, id, { pace, seenMs: missingMs, checkedMs })
  const withLabels = async (version: Registered): Promise<Registered> => {
    const labels = await readLabels(glue, version.id)
    // Glue may not have the version before its eyes yet; and it may be deleted, while messages that carry it are still there to be read.
    return labels === 'missing' ? version : { ...version, labels }
  }

  const find = async (id: string): Promise<Registered | undefined> => {
    if (nowMs() < (absentUntil.get(id) ?? -Infinity)) return undefined
    const version = cache.version(id) ?? (await settled(id, unknownMs))
    if (typeof version === 'string') {
      absentUntil.set(id, nowMs() + absentMs)
      return undefined
    }
    const found = await withLabels(version)
    cache.keep(found)
    return found
  }

  const list = async (subject: string): Promise<readonly Registered[]> => {
    const listed = await listVersions(glue, registry, subject)
    const ids = listed.filter(({ inForce }) => inForce).map(({ id }) => id)
    const unlisted = [...mine].filter(([id, of]) => of === subject && !listed.some((one) => one.id === id)).map(([id]) => id)
    const versions = await each([...ids, ...unlisted], async (id): Promise<readonly Registered[]> => {
      const version = (ids.includes(id) ? cache.version(id) : undefined) ?? (await settled(id))
      if (typeof version !== 'string') return [await withLabels(version)]
      mine.delete(id)
      return []
    })
    const found = versions.flat().sort((a, b) => a.number - b.number)
    cache.keepList(subject, found)
    return found
  }

  const subjects = async (): Promise<readonly string[]> => {
    const found = [...new Set([...(await listSubjects(glue, registry)), ...mine.values()])].sort()
    cache.keepSubjects(found)
    return found
  }

  const known = {
    list: (subject: string) =>
      reading(
        () => list(subject),
        () => cache.list(subject),
      ),
    /** What Glue holds the schema to; what the config says when there is none yet, or nobody to ask. */
    compatibility: (subject: string) =>
      reading(
        async () => {
          const schema = await glue.ask('getSchema', { SchemaId: { RegistryName: registry, SchemaName: subject } }, 'missing')
          if (schema === 'missing') return options.compatibility
          if (schema.DataFormat !== 'AVRO')
            throw new Problem(
              `the schema ${subject} in the registry ${registry} is ${schema.DataFormat}, not Avro`,
              'Use a registry of its own for Tidemark.',
            )
          return schema.Compatibility!
        },
        () => options.compatibility,
      ),
    /** '' when it may be registered. */
    fault: (definition: string) =>
      reading(
        async () => {
          const { Valid, Error: reason = '' } = await glue.ask('checkSchemaVersionValidity', {
            DataFormat: 'AVRO',
            SchemaDefinition: definition,
          })
          return Valid === false ? `Glue does not take it for a valid Avro schema: ${reason}` : ''
        },
        () => '',
      ),
  }

  const reasonsAgainst = async (subject: string, definition: string, earlier: readonly Registered[]): Promise<readonly string[]> => {
    if (earlier.some((one) => sameDefinition(one.definition, definition))) return []
    if (definition.length > longestDefinition) return [`it has ${definition.length} characters, and Glue allows ${longestDefinition}`]
    const compatibility = await known.compatibility(subject)
    if (compatibility === 'DISABLED') return [`the compatibility of ${subject} is DISABLED in Glue, which allows no further version`]
    const reasons = options.incompatibilities(compatibility)(
      definition,
      earlier.map((one) => one.definition),
    )
    if (reasons.length > 0) return reasons
    return [await known.fault(definition)].filter((fault) => fault !== '')
  }

  const showSet = async (subject: string) => {
    if (options.catalogDatabase === false) return
    try {
      const live = (await list(subject)).findLast(({ labels }) => labels['live'] === 'yes')
      if (live) await showInCatalog(glue, options.catalogDatabase, live)
    } catch (error) {
      // Nothing reads the table but people and their tools.
      note(
        `the feature set ${subject} could not be shown in the Glue Data Catalog: ` +
          `${error instanceof Problem ? error.message : String(error)}`,
      )
    }
  }

  return {
    // Asking for its ARN would need Glue, which may be away while what was read before is enough to go on.
    identity: async () => ({ id: `glue/${region}/${registry}`, place: `the registry ${registry} of Glue in ${region}` }),
    list: known.list,
    subjects: () => reading(subjects, () => cache.subjects()),
    find: (id) =>
      reading<Registered | undefined>(
        () => find(id),
        () => cache.version(id),
      ),
    reasonsAgainst: async (subject, definition) => reasonsAgainst(subject, definition, await known.list(subject)),

    async register(subject, definition) {
      const earlier = await known.list(subject)
      // What is registered is so for good, and known even when Glue is out of reach: this is how a consumer starts then.
      const same = earlier.find((one) => sameDefinition(one.definition, definition))
      if (same) return same
      const reasons = await reasonsAgainst(subject, definition, earlier)
      if (reasons.length > 0) {
        const what = `the schema is not compatible with the earlier ones of ${subject}: ${reasons.join('; ')}`
        throw new Problem(what, 'Nothing was registered; change the definition so that both can be read.')
      }
      const id = await submitSchema(glue, { ...options, subject, definition, pace, waitMs: seenMs, exists: earlier.length > 0, note })
      const version = await settled(id)
      if (typeof version === 'string') throw notInForce(options, subject, id, version)
      if (!sameDefinition(version.definition, definition)) {
        const why = 'it compares and keeps definitions without what tells these two apart'
        throw new Problem(
          `Glue took the new schema of ${subject} for its version ${version.number}, which has another definition: ${why}`,
          'No version was added. Give the new one a field that differs, or report this.',
        )
      }
      mine.set(id, subject)
      const registered = await withLabels(version)
      cache.keep(registered)
      return registered
    },

    async label(id, labels) {
      const waits = pauses(mine.has(id) || cache.version(id) ? seenMs : 0)
      while ((await readLabels(glue, id)) === 'missing') {
        const pause = waits.next()
        if (pause.done) throw unknownVersion(id)
        await sleep(pause.value * pace)
      }
      await writeLabels(glue, id, labels)
      const version = await find(id)
      if (version && labels['live'] !== undefined) await showSet(version.subject)
    },

    async close() {
      glue.close()
      cache.close()
    },
  }
}

/** In order, a few at a time. */
async function each<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let from = 0; from < all.length; from += asksAtOnce)
    results.push(...(await Promise.all(all.slice(from, from + asksAtOnce).map(work))))
  return results
}

function notInForce(
  { registry, region }: GlueOptions,
  subject: string,
  id: string,
  state: Exclude<Awaited<ReturnType<typeof readVersion>>, Registered>,
): Problem {
  if (state === 'failed') {
    return new Problem(
      `Glue refused the schema of ${subject} by its own check of compatibility, and gives no reason (version ${id}, FAILURE)`,
      `No version was added. Look at those before: tidemark schemas ${subject}. To try the same definition again, ` +
        'first delete that version ' +
        `(aws glue delete-schema-versions, ${registry}/${subject} in ${region}).`,
    )
  }
  const what =
    state === 'pending'
      ? `Glue has been checking the schema of ${subject} for more than ${checkedMs / 1000} s (version ${id}, PENDING)`
      : `Glue does not show the schema of ${subject} that it has just taken (version ${id})`
  return new Problem(what, 'Run this again in a while: it goes on from there.')
}
