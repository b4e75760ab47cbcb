/** Programs in Python that ask the server, and why one cannot run here. */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'

export const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const cached = () => join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tidemark')

type Program = 'feast' | 'schemathesis'

/** Undefined when it can. */
export function missingFor(program: Program): string | undefined {
  if (existsSync(join(cached(), program, 'ready'))) return undefined
  return spawnSync('python3', ['-c', 'import venv, ensurepip'], { stdio: 'ignore' }).status === 0
    ? undefined
    : `there is no python3 with venv and pip, for ${program}`
}

/** The folder with its programs. */
export async function installed(program: Program): Promise<string> {
  const { stdout } = await promisify(execFile)(beside('python.sh'), ['install', program], { timeout: 900_000 })
  return stdout.trim()
}
