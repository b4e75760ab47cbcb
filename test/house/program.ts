/** What the tests of the whole start: the program as the package has it, made once for a run, which starts in half the time. */
import { copyFileSync, cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pack } from './pack.ts'

export async function setup(): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-program-'))
  await pack(join(folder, 'dist'))
  for (const file of ['tidemark.js', 'package.json']) copyFileSync(file, join(folder, file))
  cpSync('config', join(folder, 'config'), { recursive: true, filter: (path) => !path.endsWith('.ts') })
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  process.env['TIDEMARK_PROGRAM'] = join(folder, 'tidemark.js')
  return () => rmSync(folder, { recursive: true, force: true })
}
