/** Several files as one source: their rows are numbered one behind the other, in the order of their names. */
import { createHash } from 'node:crypto'
import { sameForm, type Source, type SourceIdentity, type TextForm } from '../source.ts'
import { lazySource } from './lazy.ts'

export type NamedFile = { readonly name: string; readonly source: Source }

/** `name` is that of the folder or the pattern. */
export function severalFiles(place: string, name: string, files: readonly NamedFile[], form: TextForm = {}): Source {
  return {
    place,
    async identify(signal) {
      const each: SourceIdentity[] = []
      for (const { source } of files) each.push(await source.identify(signal))
      return identityOf(name, named(files, each), form)
    },
    async prove(signal) {
      for (const { source } of files) await source.prove(signal)
    },
    files: async () => (await Promise.all(files.map(({ source }) => source.files()))).flat(),
    asOf: (identity) => lazySource(place, () => firstOf(place, name, files, identity, form)),
    async intruder({ files: { count } = { count: 1 }, sha256 }) {
      if (files.length <= count) return undefined
      const first = files.slice(0, count + 1)
      const each = named(first, await Promise.all(first.map(({ source }) => source.identify())))
      return each.slice(0, -1).find(
        (one) =>
          identityOf(
            name,
            each.filter((other) => other !== one),
          ).sha256 === sha256,
      )?.name
    },
  }
}

type NamedIdentity = { readonly name: string; readonly size: number; readonly sha256: string }

const named = (files: readonly NamedFile[], identities: readonly SourceIdentity[]): readonly NamedIdentity[] =>
  files.map(({ name }, i) => ({ name, size: identities[i]!.size, sha256: identities[i]!.sha256 }))

function identityOf(name: string, each: readonly NamedIdentity[], form: TextForm = {}): SourceIdentity {
  const formed = Object.keys(form).length > 0 && { form }
  // A file is the same alone and as the first of a folder, which then has grown.
  if (each.length === 1) return { ...each[0]!, ...formed }
  const hash = createHash('sha256')
  for (const { name, size, sha256 } of each) hash.update(JSON.stringify([name, size, sha256]))
  return {
    name,
    size: each.reduce((sum, { size }) => sum + size, 0),
    sha256: hash.digest('hex'),
    files: { count: each.length, last: each.at(-1)!.name },
    ...formed,
  }
}

/** The first so many files, the last of them as it was when all had so many bytes. */
async function firstOf(
  place: string,
  name: string,
  files: readonly NamedFile[],
  identity: SourceIdentity,
  form: TextForm,
): Promise<Source> {
  const { size, files: { count } = { count: 1 }, form: formThen = {} } = identity
  const whole = files
    .slice(0, count - 1)
    .map((file) => (sameForm(form, formThen) ? file : { ...file, source: file.source.asOf({ ...identity, size: Infinity }) }))
  const sizes = await Promise.all(whole.map(({ source }) => source.identify()))
  const left = sizes.reduce((rest, { size }) => Math.max(0, rest - size), size)
  const last = files.slice(count - 1, count).map((file) => ({ ...file, source: file.source.asOf({ ...identity, size: left }) }))
  return severalFiles(place, name, [...whole, ...last], formThen)
}
