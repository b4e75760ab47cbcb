/** What a path on this machine stands for: a file, a folder of files, or a pattern that names some. */
import { existsSync, globSync, statSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { Problem } from '../values/problem.ts'
import type { Source, TextForm } from '../source.ts'
import { lazySource } from './lazy.ts'
import { severalFiles } from './several.ts'
import { fileSource } from './source.ts'

/** What is read in a folder. */
const endings = ['csv', 'tsv', 'txt', 'csv.gz', 'tsv.gz', 'txt.gz', 'parquet']

const isPattern = (path: string) => /[*?[{]/.test(path) && !existsSync(path)
const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** A pattern with what matches it counts as there. */
export const isThere = (path: string): boolean => existsSync(path) || (isPattern(path) && filesOf(path).length > 0)

/** The files of a folder or a pattern are looked for once. */
export const sourceOnDisk = (path: string, form?: TextForm): Source =>
  isPattern(path) || isFolder(path) ? lazySource(path, async () => several(path, form)) : fileSource(path, form)

function several(path: string, form?: TextForm): Source {
  const names = filesOf(path)
  if (names.length === 0) {
    throw isPattern(path)
      ? new Problem(`no file matches ${path}`, 'Check the pattern; put it into quotes, so that the shell leaves it as it is.')
      : new Problem(
          `the folder ${path} holds no file to read`,
          `Its files are read whose names end in ${endings.join(', ')}; name others by a pattern.`,
        )
  }
  const folder = folderOf(path)
  const files = names.map((name) => ({ name: relative(folder, name), source: fileSource(name, form) }))
  return severalFiles(path, basename(path), files, form)
}

/** By the order of their names, letter by letter. */
function filesOf(path: string): readonly string[] {
  const patterns = isPattern(path) ? [path] : endings.map((ending) => join(literal(path), `*.${ending}`))
  const found = globSync(patterns, { withFileTypes: true }).filter((entry) => !entry.isDirectory())
  return [...new Set(found.map(({ parentPath, name }) => join(parentPath, name)))].sort((a, b) => (a < b ? -1 : 1))
}

/** A folder may be called as a pattern is written. */
const literal = (path: string) => path.replace(/[*?[\]{}!\\]/g, '[$&]')

/** The part before the first name that is a pattern. */
function folderOf(path: string): string {
  if (!isPattern(path)) return path
  const parts = path.split('/')
  return (
    parts
      .slice(
        0,
        parts.findIndex((part) => /[*?[{]/.test(part)),
      )
      .join('/') || (path.startsWith('/') ? '/' : '.')
  )
}
