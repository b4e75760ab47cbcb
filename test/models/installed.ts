/** What tests of models need beside a checkout: the runtime that computes them, and Python with what makes them. */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { modelRuntime } from '../../feature-defs/models/model.ts'

const script = fileURLToPath(new URL('install.sh', import.meta.url))
const cached = (name: string) => existsSync(join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tidemark', name, 'ready'))

const install = async (what: 'runtime' | 'python'): Promise<string> =>
  (await promisify(execFile)(script, [what], { timeout: 600_000 })).stdout.trim()

/** The folder that has onnxruntime-web in its node_modules. */
export const installRuntime = () => install('runtime')

/** A python that has scikit-learn, skl2onnx and onnxruntime. */
export const installPython = () => install('python')

/** Why Python's packages cannot be had here; undefined when they can. */
export function missingForPython(): string | undefined {
  if (cached('models-python')) return undefined
  return spawnSync('python3', ['-c', 'import venv, ensurepip'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'there is no python3 with venv and pip'
}

/** Why the runtime cannot be had here; undefined when it can. */
export function missingForRuntime(): string | undefined {
  if (cached(`onnxruntime-web-${modelRuntime}`)) return undefined
  return spawnSync('npm', ['--version'], { stdio: 'ignore' }).status === 0 ? undefined : 'there is no npm to install onnxruntime-web with'
}
