/** The map in CONTRIBUTING.md as data: which room may import which, who may pick adapters, and where each package enters. */
import type { Import } from './sources.ts'

const stages = ['producer', 'ingest', 'consumer', 'batch', 'sink', 'serving', 'training']
const below = ['utilities', 'schemas', 'feature-defs', 'streams']
const program = [...below, 'examples', ...stages, 'serving', 'versions', 'use-cases', 'web', 'config', 'commands']

/** What a room, or a file that lies in none, may import beside itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  utilities: [],
  schemas: ['utilities'],
  'feature-defs': ['utilities', 'schemas'],
  streams: ['utilities', 'schemas', 'feature-defs'],
  // A user's own definitions would import no more.
  examples: ['utilities', 'schemas', 'feature-defs'],
  producer: below,
  ingest: below,
  consumer: below,
  batch: below,
  sink: below,
  serving: below,
  training: below,
  versions: [...below, 'batch'],
  // The look-alike file, and the definitions that count where no others are named.
  'use-cases': [...below, ...stages, 'versions', 'examples'],
  // What it answers is read through the port of serving.
  web: [...below, 'serving', 'use-cases'],
  config: [...below, 'examples', 'definitions.ts'],
  'definitions.ts': ['feature-defs', 'examples'],
  // What versions and stages have to say they hear from use cases.
  commands: [...below, 'serving', 'use-cases', 'web', 'config', 'examples'],
  'cli.ts': [...below, 'config', 'commands'],
  // Its import is computed: the checkout's command line, or the package's.
  'tidemark.js': ['cli.ts', 'computed'],
  bench: [...program, 'test', 'definitions.ts'],
  test: [...program, 'bench', 'cli.ts', 'definitions.ts', 'computed'],
  'vitest.config.ts': ['test'],
}

/** Who knows which adapter is behind a port. */
const pickers = ['config/wire.ts', 'config/files.ts']

/** What works on the program from outside may pick an adapter, and a package, for itself. */
const outside = ['bench', 'test', 'vitest.config.ts']

/** The one room, or file, for which these names stand in an import. */
const exceptions: Readonly<Record<string, string>> = {
  // The user's own definitions.
  computed: 'config/definitions.ts',
}

/** Where each package enters. */
const doors: Readonly<Record<string, string>> = {
  commander: 'cli.ts',
  zod: 'config/zod.ts',
  avsc: 'schemas/avro/generic.ts',
  hono: 'web/app.ts',
  '@hono/node-server': 'web/server.ts',
  'prom-client': 'web/metrics.ts',
  'pgsql-ast-parser': 'schemas/expressions/parse.ts',
  hyparquet: 'utilities/parquet/hyparquet.ts',
  kafkajs: 'utilities/kafka/client/client.ts',
  '@node-rs/crc32': 'utilities/kafka/wire/crc.ts',
  'node:sqlite': 'utilities/sqlite/database.ts',
  '@aws-sdk/client-redshift-data': 'utilities/redshift/api.ts',
  '@aws-sdk/client-s3': 'utilities/s3/client.ts',
  '@aws-sdk/client-glue': 'utilities/glue/client.ts',
  'aws-msk-iam-sasl-signer-js': 'utilities/kafka/client/iam.ts',
  'onnxruntime-web': 'utilities/onnx/runtime.ts',
}

/** These modules of Node's reach beyond the process, as a package does. */
const reaching = ['node:sqlite', 'node:net', 'node:tls', 'node:http', 'node:https', 'node:child_process', 'node:worker_threads']

const isInside = (to: string) => /\.[tj]s$/.test(to)
const isPackage = (to: string) => to !== 'computed' && !isInside(to)
const roomOf = (path: string) => (path.includes('/') ? path.split('/')[0]! : path)

/** The rooms of utilities that each know one technology; whatever else lies there are ports, and what needs no technology. */
const technologies = /^utilities\/(memory|files|sqlite|kafka|glue|redshift|s3|parquet|schema-registry|onnx)\//

/** The lines that could not be read are a file wherever the store lies. */
const isOfTechnology = (path: string) => technologies.test(path) && path !== 'utilities/files/rejects.ts'

/** Beside those rooms: what reaches beyond the process, by itself or by what it imports. */
function adaptersBeside(imports: readonly Import[]): ReadonlySet<string> {
  const adapters = new Set<string>()
  const reaches = (to: string) =>
    reaching.includes(to) || (isPackage(to) && !to.startsWith('node:')) || isOfTechnology(to) || adapters.has(to)
  for (let before = -1; before < adapters.size;) {
    before = adapters.size
    for (const { file, to } of imports) if (file.startsWith('utilities/') && !technologies.test(file) && reaches(to)) adapters.add(file)
  }
  return adapters
}

/** Each import that the map forbids, named, with what it breaks. */
export function offendersAmong(imports: readonly Import[]): readonly string[] {
  const adapters = adaptersBeside(imports)
  return imports.flatMap((one) => {
    const why = offence(one, (to) => isOfTechnology(to) || adapters.has(to))
    return why === undefined ? [] : [`${one.file} → ${one.to}: ${why}`]
  })
}

function offence({ file, to }: Import, isAdapter: (to: string) => boolean): string | undefined {
  const [from, into] = [roomOf(file), roomOf(to)]
  const allowed = mayImport[from]
  if (!allowed) return `${from} is not on the map`
  const isOutside = outside.includes(from)
  if (isPackage(to)) return (to.startsWith('node:') && !(to in doors)) || isOutside || doors[to] === file ? undefined : wrongDoor(to)
  if (from !== into && !allowed.includes(into) && exceptions[to] !== file) return `${from} may not import ${into}`
  if (isAdapter(to) && from !== 'utilities' && !isOutside && !pickers.includes(file)) return `only ${pickers.join(' and ')} pick adapters`
  return undefined
}

const wrongDoor = (to: string) => (doors[to] === undefined ? 'the package has no door' : `the door is ${doors[to]}`)
