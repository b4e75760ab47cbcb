/** `doctor`: looks at every part, changes none, and says what to do about each that is not well. */
import { fileOf, topicsOf } from '../config/config.ts'
import { definitionsOf, recordsIn, tablesIn } from '../config/definitions.ts'
import { defaultSource } from '../config/shape.ts'
import { leaseHolders, lookAtDatabase, lookAtServers, sourceAt, wireFeed } from '../config/wire.ts'
import { examine } from '../use-cases/doctor.ts'
import type { CommandBody } from './command.ts'
import { table } from './console.ts'
import { firstApply } from './first-apply.ts'
import { firstOfStreams } from './sets.ts'
import { withAnyTopicsToRead } from './stage.ts'

export const run: CommandBody = async ({ options, config, console, signal }) => {
  const { dataDir, log, registry, warehouse } = config
  const files = Object.entries({ log, registry, warehouse }).flatMap(([part, { kind }]) => (kind === 'embedded' ? [`${part}.db`] : []))
  const servers = await lookAtServers(config)
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
        const needed = [...tablesIn(definitions), ...firstOfStreams(definitions).map(({ record }) => record)]
        return Object.entries(topicsOf(config)).flatMap(([name, { isFleeting, ...asked }]) => {
          const fields = needed.find((one) => one.name === name)?.fields
          // What comes through standard input is not there to be looked at.
          if (!fields || isFleeting) return []
          const decimals = Object.values(fields).flatMap(({ kind, csv }) => (kind === 'decimal' ? [csv] : []))
          return [{ name, asked: { ...asked, decimals } }]
        })
      },
      openFeed: () => wireFeed(config, () => {}),
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
