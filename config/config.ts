/** Reads the config file and the environment once, into a value the rest of the program can trust. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, normalize, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TextForm } from '../utilities/source.ts'
import { rejectedLoan } from '../examples/loans/rejected-loan.ts'
import { Problem } from '../utilities/values/problem.ts'
import { shape, standardInputTopic, type Config, type TopicSource } from './shape.ts'

/** How many partitions the inflow of a record gets if it has to be made. */
export const partitionsFor = ({ log, streams }: Config, { name }: { readonly name: string }): number =>
  streams[name]?.partitions ?? log.partitions

/** Where a record's file is, and how its cells are written. */
export type FileNamed = { readonly file: string; readonly form: TextForm }

/** What the config says of the file of a record or a table. `only`: the definitions have no other record. */
export function fileOf({ source, sources }: Config, record: string, only: boolean): FileNamed | undefined {
  const named = sources[record] ?? (only || record === rejectedLoan.name ? source : undefined)
  if (!named || 'topic' in named) return undefined
  const { file, ...form } = named
  return { file, form: form as TextForm }
}

/** What the config says of the topic that a record or a table comes from. */
export function topicOf({ sources }: Config, name: string): TopicSource | undefined {
  const named = Object.hasOwn(sources, name) ? sources[name] : undefined
  return named && 'topic' in named ? named : undefined
}

/** All that come from topics, by their names; what comes in by standard input is gone once it is read. */
export const topicsOf = ({ sources }: Config): { readonly [name: string]: TopicSource & { readonly isFleeting: boolean } } =>
  Object.fromEntries(
    Object.entries(sources).flatMap(([name, one]) =>
      'topic' in one ? [[name, { ...one, isFleeting: one.topic === standardInputTopic }]] : [],
    ),
  )

export function readConfig(named: string | undefined, env: Readonly<Record<string, string | undefined>>): Config {
  const file = named === undefined ? undefined : shipped(named)
  const config = parse(file === undefined ? {} : substitute(readJson(file), env, file), file ?? 'the defaults')
  return config.features === undefined ? config : { ...config, features: found(config.features, file) }
}

/** A config file that comes with Tidemark is found from any folder, by the name that it has in the checkout. */
function shipped(file: string): string {
  if (existsSync(file) || dirname(normalize(file)) !== 'config') return file
  // The compiled package has it beside the compiled code.
  const places = ['.', '../../config'].map((folder) => fileURLToPath(new URL(`${folder}/${basename(file)}`, import.meta.url)))
  return places.find((place) => existsSync(place)) ?? file
}

/** A path as seen from where the command runs or, if nothing is there, from the folder of the config file. */
const found = (path: string, file: string | undefined): string =>
  file === undefined || existsSync(path) ? resolve(path) : resolve(dirname(file), path)

function readJson(file: string): unknown {
  try {
    return JSON.parse(stripComments(readFileSync(file, 'utf8')))
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new Problem(`${file} is not JSON: ${error.message}`, 'Correct it; comments with // are fine.', { cause: error })
    throw new Problem(`the config file ${file} cannot be read: ${(error as Error).message}`, 'Check the path given to --config.', {
      cause: error,
    })
  }
}

/** JSON with // comments outside of strings. */
const stripComments = (json: string) => json.replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*/g, (_, quoted: string | undefined) => quoted ?? '')

function substitute(value: unknown, env: Readonly<Record<string, string | undefined>>, file: string): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
      const found = env[name]
      if (found === undefined)
        throw new Problem(`${file} needs the environment variable ${name}, which is not set`, `Set it, e.g. export ${name}=…`)
      return found
    })
  }
  if (Array.isArray(value)) return value.map((one) => substitute(one, env, file))
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, substitute(one, env, file)]))
  return value
}

function parse(value: unknown, from: string): Config {
  const result = shape.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const at = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    throw new Problem(
      `${from} has an unknown key ${[...issue.path, issue.keys[0]!].join('.')}`,
      `Remove it or correct its spelling. Known keys: ${Object.keys(shape.shape).join(', ')}.`,
      { usage: true },
    )
  }
  throw new Problem(`${from}: ${at === '' ? 'the whole' : at}: ${issue.message}`, 'See docs/configuration.md for what it can be.', {
    usage: true,
  })
}
