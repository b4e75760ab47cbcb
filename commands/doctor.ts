/** `doctor`: looks at every part, changes none, and says what to do about each that is not well. */
import { fileOf, topicsOf } from '../config/config.ts'
import { definitionsOf, recordsIn, tablesIn } from '../config/definitions.ts'
import { defaultSource } from '../config/shape.ts'
import { sourceAt } from '../config/files.ts'
import { leaseHolders, lookAtDatabase, lookAtServers, wireFeed, wireSchemas } from '../config/wire.ts'
import { isEvent } from '../schemas/event.ts'
import { examine } from '../use-cases/doctor.ts'
import { sourceOf } from '../use-cases/ingest.ts'
import type { CommandBody } from './command.ts'
import { table } from './console.ts'
import { firstApply } from './first-apply.ts'
import { firstOfStreams } from './sets.ts'
import { withAnyTopicsToRead } from './stage.ts'

/** So long topics of others are tried for. */
const reachMs = 5_000

export const run: CommandBody = async ({ options, config, console, signal }) => {
  const { dataDir, log, registry, warehouse } = config
  const files = Object.entries({ log, registry, warehouse }).flatMap(([part, { kind }]) => (kind === 'embedded' ? [`${part}.db`] : []))
  const servers = await lookAtServers(config)
  // The store's own registry is opened when a message has a schema of it.
  const own = { find: (id: string) => withAnyTopicsToRead({ config, console }, ({ registry: at }) => at.find(id)) }
  const schemasOf = wireSchemas(config, own)
  const diagnosis = await examine(
    {
      nodeVersion: process.versions.node,
      dataDir,
      files,
      lookAtDatabase,
      leaseHolders,
      looks: servers.looks,
      definitions: () => definitionsOf(config),
      sources: (definitions) =>
        firstOfStreams(definitions).flatMap(({ record }) => {
          const named = fileOf(config, record.name, recordsIn(definitions).length === 1)
          if (!named) return []
          const { file, form } = named
          // A file that nobody named need not be there where others may fill the topics.
          return [{ record, file, optional: log.kind === 'kafka' && file === defaultSource, open: () => sourceAt(file, form) }]
        }),
      topics: (definitions) => {
        const needed = [
          ...tablesIn(definitions),
          ...firstOfStreams(definitions).map(({ record }) => (isEvent(record) ? record.event.of : record)),
        ]
        return Object.entries(topicsOf(config)).flatMap(([name, { isFleeting, ...asked }]) => {
          const of = needed.find((one) => one.name === name)
          // What comes through standard input is not there to be looked at.
          if (!of || isFleeting) return []
          const decimals = Object.values(of.fields).flatMap(({ kind, csv }) => (kind === 'decimal' ? [csv] : []))
          const schemas = schemasOf(name)
          const { decode } = sourceOf(name, asked, 'key' in of ? { table: of } : { record: of }, schemas)
          const registry = asked.schemaRegistry && schemas && { url: asked.schemaRegistry.url, schemas }
          return [{ name, asked: { ...asked, decimals, decode }, registry }]
        })
      },
      openFeed: () => wireFeed(config, () => {}, { withinMs: reachMs }),
      withPorts: (work) => withAnyTopicsToRead({ config, console }, work),
    },
    { deep: options['deep'] === true, first: await firstApply(config), signal },
  ).finally(servers.close)
  const { problems, checks } = diagnosis
  const rows = checks.map(({ check, state, found, todo }) => [check, state, found, todo ?? ''])
  const verdict = problems === 0 ? 'all is well' : `${problems} ${problems === 1 ? 'problem' : 'problems'}`
  console.result(`${table(['check', 'state', 'what is there', 'what to do'], rows, { widest: 160 })}\n\n${verdict}`, diagnosis)
  return problems === 0 ? 0 : 1
}
