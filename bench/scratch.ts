/** A fresh data directory for one run, with a config file that names the measured features; removed afterwards. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '../config/config.ts'
import type { Config } from '../config/shape.ts'
import { makeWorkDir, workDir } from './child.ts'

export type Scratch = { readonly dir: string; readonly configFile: string; readonly config: Config }

export async function inScratch<T>(work: (scratch: Scratch) => Promise<T>): Promise<T> {
  makeWorkDir()
  const dir = mkdtempSync(join(workDir, 'run-'))
  try {
    const configFile = join(dir, 'config.json')
    writeFileSync(configFile, JSON.stringify({ dataDir: join(dir, 'tidemark'), features: join(import.meta.dirname, 'definitions.ts') }))
    return await work({ dir, configFile, config: readConfig(configFile, {}) })
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
