/** Which file a command reads, and how its cells are written: what the config says of the record, and the words that override it. */
import { fileOf, topicOf, type FileNamed } from '../config/config.ts'
import { recordsIn, type Definitions } from '../config/definitions.ts'
import { standardInputTopic, type Config, type TopicSource } from '../config/shape.ts'
import type { RecordSchema } from '../schemas/record.ts'
import { csvForm } from '../schemas/csv/form.ts'
import { everyYear, type Years } from '../schemas/csv/selection.ts'
import type { Problem } from '../utilities/values/problem.ts'
import { refuseFacts } from '../streams/of-tables.ts'
import type { Options } from './command.ts'
import { usage, years } from './words.ts'

export function fileFor(record: RecordSchema, definitions: Definitions, options: Options, config: Config): FileNamed {
  refuseFacts(record)
  const { name } = record
  const configured = fileOf(config, name, recordsIn(definitions).length === 1)
  const file = (options['file'] as string | undefined) ?? configured?.file
  if (file === undefined) throw withoutFile(name, config)
  const { delimiter } = options
  // As people type a tab.
  const own = typeof delimiter === 'string' && { delimiter: delimiter === '\\t' ? '\t' : delimiter }
  const form = { ...configured?.form, ...own }
  // Refused before anything is opened.
  csvForm(form)
  return { file, form }
}

/** What to say where a record or a table has no file. */
export function withoutFile(name: string, config: Config): Problem {
  const from = topicOf(config, name)
  return from
    ? usage(`${name} comes from ${topicText(from)}`, 'Run: tidemark ingest. To read a file all the same, name it with --file.')
    : usage(`no file is named for ${name}`, `Add "sources": { "${name}": { "file": … } } to the config, or name one with --file.`)
}

const topicText = ({ topic }: TopicSource) => (topic === standardInputTopic ? topic : `the topic ${topic}`)

/** The years that are asked for, or all. */
export const chosenYears = (options: Options): Years => (options['years'] === undefined ? everyYear : years(options))
