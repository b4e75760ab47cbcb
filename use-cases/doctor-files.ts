/** What the data directory and the database files in it look like. */
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { count } from '../utilities/values/digits.ts'
import type { DatabaseLook, Found } from '../utilities/values/look.ts'

const leastFreeBytes = 1_000_000_000
const largeFileBytes = 200_000_000

/** Where nothing is embedded it only holds what may be had again. */
export function directory(path: string, holdsData: boolean, first: string): Found {
  if (!existsSync(path)) {
    const above = existingAbove(resolve(path))
    if (!mayWrite(above)) {
      const todo = 'Give this user the right to write there, or choose another with --data-dir.'
      return { found: `there is no ${path} yet, and nothing can be made in ${above}`, todo }
    }
    if (!holdsData) return { found: `there is no ${path} yet: it is made when it is needed` }
    return { found: `there is no ${path} yet`, todo: `Run: tidemark demo, or ${first}` }
  }
  if (!statSync(path).isDirectory()) {
    return { found: `${path} is not a directory`, todo: 'Move the file in its way, or choose another with --data-dir.' }
  }
  if (!may(constants.R_OK | constants.X_OK, path)) {
    return { found: `${path} may not be read`, todo: 'Give this user the right to read there, and to write if it is to do more than look.' }
  }
  const { bavail, bsize } = statfsSync(path)
  const free = bavail * bsize
  const onlyReads = mayWrite(path) ? '' : '; this user may read it and not write, which is enough to look, to query and to export'
  const found = `${path}, ${gigabytes(free)} free${onlyReads}`
  return free < leastFreeBytes ? { found, todo: 'Make room on its disk.' } : { found }
}

const existingAbove = (path: string): string => (existsSync(path) ? path : existingAbove(dirname(path)))

const mayWrite = (path: string) => may(constants.R_OK | constants.W_OK | constants.X_OK, path)

function may(what: number, path: string): boolean {
  try {
    accessSync(path, what)
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** What a database file is like; all of it is read only when it is asked for. */
export type LookAtDatabase = (path: string, options: { readonly deep: boolean }) => Promise<DatabaseLook>

type Wanted = { readonly deep: boolean; readonly first: string }

export async function database(lookAtDatabase: LookAtDatabase, dataDir: string, name: string, { deep, first }: Wanted): Promise<Found> {
  const path = join(dataDir, name)
  if (!existsSync(path)) {
    const isLost = name !== 'log.db' && existsSync(join(dataDir, 'log.db'))
    return { found: 'it is not there', todo: isLost ? 'Put it back, or have it made again from the log: tidemark repair' : `Run: ${first}` }
  }
  const bytes = statSync(path).size
  const size = `${count(bytes)} bytes`
  const look = await lookAtDatabase(path, { deep: deep || bytes < largeFileBytes })
  if ('damage' in look) {
    return { found: `it is damaged: ${look.damage}`, todo: 'Restore it from a copy, or move it away and fill it again.' }
  }
  switch (look.state) {
    case 'empty':
      return { found: 'it is empty: it has no table', todo: `Move the file away and run: ${first}, or restore it from a copy.` }
    case 'opened':
      return { found: `${size}; it opens (all of it is read with --deep)` }
    case 'sound':
      return { found: `${size}, sound` }
  }
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
