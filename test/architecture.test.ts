/** The map in CONTRIBUTING.md, enforced: imports point one way, each package has one door, and files stay small. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const stages = ['producer', 'consumer', 'batch', 'sink']
const below = ['utilities', 'schemas', 'feature-defs']

/** What a folder may import beside itself. */
const mayImport: Record<string, readonly string[]> = {
  utilities: [],
  schemas: ['utilities'],
  'feature-defs': ['utilities', 'schemas'],
  producer: below,
  consumer: below,
  batch: below,
  sink: below,
  versions: [...below, 'batch'],
  'use-cases': [...below, ...stages, 'versions'],
  config: below,
  // What versions and stages have to say they hear from use cases.
  commands: [...below, 'use-cases', 'config'],
}

/** Where each package enters. */
const doors: Record<string, string> = {
  commander: 'cli.ts',
  zod: 'config/config.ts',
  avsc: 'schemas/generic.ts',
  '@node-rs/crc32': 'utilities/log/kafka-crc.ts',
  'node:sqlite': 'utilities/sqlite.ts',
  '@aws-sdk/client-redshift-data': 'utilities/warehouse/redshift-api.ts',
  '@aws-sdk/client-s3': 'utilities/s3.ts',
  '@aws-sdk/client-glue': 'utilities/registry/glue-client.ts',
  'aws-msk-iam-sasl-signer-js': 'utilities/log/kafka-iam.ts',
}

const files = Object.keys(mayImport)
  .flatMap((top) => readdirSync(top, { recursive: true, encoding: 'utf8' }).map((file) => join(top, file)))
  .concat('cli.ts')
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
const imports = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?'([^']+)'/g)].map(([, to]) => ({ file, to: to! })))
const inside = imports.filter(({ to }) => to.startsWith('.')).map(({ file, to }) => ({ file, to: join(dirname(file), to) }))
const top = (path: string) => (path.includes('/') ? path.split('/')[0]! : '')
const isAdapter = (path: string) => /^utilities\/([^/]+)\/(?!\1\.ts)/.test(path) && !path.endsWith('rejects-file.ts')
const named = (broken: readonly { file: string; to: string }[]) => broken.map(({ file, to }) => `${file} → ${to}`)

describe('the house', () => {
  it('has imports that point one way', () =>
    expect(named(inside.filter(({ file, to }) => top(file) !== '' && top(file) !== top(to) && !mayImport[top(file)]!.includes(top(to))))).toEqual([]))

  it('lets only config/wire.ts pick adapters', () =>
    expect(named(inside.filter(({ file, to }) => isAdapter(to) && top(file) !== 'utilities' && file !== 'config/wire.ts'))).toEqual([]))

  it('lets each package in by one door', () => expect(named(imports.filter(({ file, to }) => to in doors && doors[to] !== file))).toEqual([]))

  it('knows the door of every package it uses', () =>
    expect(named(imports.filter(({ to }) => !to.startsWith('.') && !to.startsWith('node:') && !(to in doors)))).toEqual([]))

  it('has use cases that know no terminal, no process and no words typed', () =>
    expect(files.filter((file) => top(file) === 'use-cases' && /\bconsole\b|\bprocess\.|\bargv\b/.test(readFileSync(file, 'utf8')))).toEqual([]))

  it('prints values as they are, without calling them something else first', () =>
    expect(files.filter((file) => /\bas unknown as \S*Json\b/.test(readFileSync(file, 'utf8')))).toEqual([]))

  it('has no drawer for odds and ends', () => expect(files.filter((file) => /\/(utils?|helpers?|common|misc|shared|types)\.ts$/.test(file))).toEqual([]))

  it('opens every file with a sentence saying what it is', () => expect(files.filter((file) => !readFileSync(file, 'utf8').startsWith('/**'))).toEqual([]))

  it('keeps every file short enough to read in one sitting', () => expect(files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 250)).toEqual([]))
})
