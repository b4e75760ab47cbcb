/**
 * An emulator of AWS for tests (Moto with additions): S3, the Glue Schema Registry and Data Catalog. What it cannot prove is said in
 * moto_server.py.
 */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'

const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const cached = () => join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tidemark')

/** The first rule that fits a request answers it instead of AWS, `times` times (1). */
export type FaultRule = {
  readonly service?: 'glue' | 's3'
  /** The operation for Glue, the HTTP method for S3; any when left out. */
  readonly action?: string
  /** The exception as AWS names it. */
  readonly type: string
  readonly message?: string
  readonly status?: number
  readonly times?: number
}

/** What is to go wrong from now on; what is left out goes right. */
export type Faults = {
  readonly errors?: readonly FaultRule[]
  /** Connections are cut off without an answer. */
  readonly down?: boolean
  /** Answers of S3 that are longer break off after so many bytes. */
  readonly cutAfterBytes?: number
  /** What the server's clock is ahead. */
  readonly skewSeconds?: number
  /** How long a new schema version is being checked. */
  readonly pendingMs?: number
  /** How long a new schema version is not seen by readers. */
  readonly lagMs?: number
  /** Every further version of a schema turns out FAILURE. */
  readonly refuse?: boolean
  /** Definitions are the same when their JSON is, or when their parsing canonical form is, which drops attributes. */
  readonly canonical?: 'json' | 'parsing'
  /** What is stored is the parsing canonical form. */
  readonly strip?: boolean
  /** The most results of one answer. */
  readonly page?: number
}

export type TestAws = {
  readonly endpoint: string
  /** What the AWS clients read; S3 also needs `forcePathStyle` here. */
  readonly env: Readonly<Record<string, string>>
  faults(given: Faults): Promise<void>
  /** Requests since the last call of `faults`, e.g. { 'glue:RegisterSchemaVersion': 1, 's3:PUT': 2 }. */
  calls(): Promise<Readonly<Record<string, number>>>
  /** Forgets everything stored. */
  reset(): Promise<void>
  stop(): Promise<void>
}

/** Why the emulator cannot run on this machine; undefined when it can. */
export function missingForMoto(): string | undefined {
  if (existsSync(join(cached(), 'moto-5.2.5', 'ready'))) return undefined
  return spawnSync('python3', ['-c', 'import venv, ensurepip'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'there is no python3 with venv and pip'
}

export async function startMoto(): Promise<TestAws> {
  const { stdout } = await promisify(execFile)(beside('moto.sh'), ['install'], { timeout: 600_000 })
  const server = spawn(stdout.trim(), [beside('moto_server.py')], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  })
  const ended = new Promise<void>((done) => server.once('exit', () => done()))
  let said = ''
  server.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const port = await new Promise<string>((ready, failed) => {
    createInterface({ input: server.stdout }).once('line', ready)
    void ended.then(() => failed(new Error(`the emulator did not start: ${said}`)))
  })
  const endpoint = `http://127.0.0.1:${port}`
  const asked = async (path: string, body?: object) => {
    const answer = await fetch(`${endpoint}${path}`, body ? { method: 'POST', body: JSON.stringify(body) } : {})
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
    return answer.json()
  }
  return {
    endpoint,
    env: {
      AWS_ENDPOINT_URL_GLUE: endpoint,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: 'emulated',
      AWS_SECRET_ACCESS_KEY: 'emulated',
      AWS_REGION: 'eu-west-1',
      // No look into the user's own profiles, and none for a role of the machine.
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    faults: async (given) => void (await asked('/tidemark/faults', given)),
    calls: async () => (await asked('/tidemark/calls')) as Record<string, number>,
    reset: async () => void (await asked('/moto-api/reset', {})),
    async stop() {
      server.kill('SIGTERM')
      await ended
    },
  }
}
