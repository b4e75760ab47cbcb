/** Labels of a schema version as Glue's metadata: written so that every text fits in, changed one at a time. */
import { Problem } from '../values/problem.ts'
import type { GlueDoor } from './client.ts'

type Labels = Readonly<Record<string, string>>
/** Under one name Glue holds any number of values. */
type Stored = ReadonlyMap<string, readonly string[]>

const mostLabels = 10
const longestLabel = 128
/** What Glue allows, once the text is written its way. */
const longestStored = 256

/** 'missing' when Glue knows no such version, or not yet. */
export async function readLabels(glue: GlueDoor, id: string): Promise<Labels | 'missing'> {
  const stored = await readStored(glue, id)
  return stored === 'missing' ? stored : Object.fromEntries([...stored].map(([name, values]) => [fromStored(name), fromStored(values[0]!)]))
}

/** Sets these and keeps the others; whether the version is there is known already. */
export async function writeLabels(glue: GlueDoor, id: string, labels: Labels): Promise<void> {
  const long = Object.keys(labels).find((name) => labels[name]!.length > longestLabel || toStored(labels[name]!).length > longestStored)
  if (long !== undefined) throw new Problem(`the label ${long} has more than ${longestLabel} characters`, 'Use a shorter text.')
  const stored = await readStored(glue, id)
  if (stored === 'missing') throw unknownVersion(id)
  const all = new Set([...[...stored.keys()].map(fromStored), ...Object.keys(labels)])
  if (all.size > mostLabels) throw new Problem(`schema ${id} would have more than ${mostLabels} labels`, 'Use fewer of them.')
  for (const [name, text] of Object.entries(labels)) {
    const [key, value] = [toStored(name), toStored(text)]
    const values = stored.get(key) ?? []
    if (values.length === 1 && values[0] === value) continue
    // First away with the old: of two values nobody could tell the newer, while a label that is missing is put back by the next run.
    for (const old of values)
      await glue.ask(
        'removeSchemaVersionMetadata',
        { SchemaVersionId: id, MetadataKeyValue: { MetadataKey: key, MetadataValue: old } },
        'missing',
      )
    await glue.ask(
      'putSchemaVersionMetadata',
      { SchemaVersionId: id, MetadataKeyValue: { MetadataKey: key, MetadataValue: value } },
      'exists',
    )
  }
}

export const unknownVersion = (id: string) =>
  new Problem(`the registry holds no schema ${id}`, 'Run: tidemark schemas, to see which there are.')

async function readStored(glue: GlueDoor, id: string): Promise<Stored | 'missing'> {
  const found = new Map<string, string[]>()
  for (let token: string | undefined; ;) {
    const answer = await glue.ask(
      'querySchemaVersionMetadata',
      { SchemaVersionId: id, MaxResults: 50, ...(token !== undefined && { NextToken: token }) },
      'missing',
    )
    if (answer === 'missing') return answer
    for (const [key, { MetadataValue, CreatedTime = '', OtherMetadataValueList = [] }] of Object.entries(answer.MetadataInfoMap ?? {})) {
      const entries = [{ MetadataValue, CreatedTime }, ...OtherMetadataValueList].filter((one) => one.MetadataValue !== undefined)
      // The newest first; of those equally old, the one that Glue puts first.
      entries.sort((a, b) => (Date.parse(b.CreatedTime ?? '') || 0) - (Date.parse(a.CreatedTime ?? '') || 0))
      if (entries.length > 0)
        found.set(
          key,
          entries.map((one) => one.MetadataValue!),
        )
    }
    if (!answer.NextToken) return found
    token = answer.NextToken
  }
}

/** Glue takes letters, digits and + - = . _ / @ and no empty text: other bytes are written as =HH, and the empty text as =. */
export const toStored = (text: string): string =>
  text === ''
    ? '='
    : text.replace(/[^A-Za-z0-9+\-._/@]+/g, (some) =>
        [...new TextEncoder().encode(some)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
      )

export const fromStored = (stored: string): string =>
  stored === '=' ? '' : stored.replace(/(?:=[0-9A-F]{2})+/g, (some) => Buffer.from(some.replaceAll('=', ''), 'hex').toString('utf8'))
