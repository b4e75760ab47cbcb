/** A real MariaDB for tests, with all that Debezium needs of it: a fresh one in a folder of its own, gone when it is stopped. */
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { has } from '../kafka/broker.ts'
import { freePort } from './connect.ts'

export type TestMariadb = {
  readonly port: number
  /** Rows of texts; null is null. Several statements end with a semicolon each. */
  ask(sql: string): Promise<readonly (readonly (string | null)[])[]>
  stop(): Promise<void>
}

/** Who may do everything, and what is made for him. */
export const account = { user: 'cdc', password: 'cdc', database: 'shop' }

/** Debian's package comes when it is missing and somebody runs this who may install it. */
export function missingForMariadb(): string | undefined {
  const server = () => has('mariadbd', '--version')
  if (!server() && userInfo().uid === 0 && has('apt-get', '--version')) {
    const quiet = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const
    spawnSync('apt-get', ['update'], quiet)
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'mariadb-server'], quiet)
  }
  return server() ? undefined : 'there is no MariaDB server'
}

export async function startMariadb(): Promise<TestMariadb> {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-mariadb-'))
  const port = await freePort()
  const data = join(directory, 'data')
  const own = [`--datadir=${data}`, `--user=${userInfo().username}`]
  execFileSync('mariadb-install-db', ['--no-defaults', ...own, '--auth-root-authentication-method=normal', '--skip-test-db'], {
    stdio: 'ignore',
  })
  const { user, password, database } = account
  const first = join(directory, 'first.sql')
  writeFileSync(
    first,
    `CREATE USER ${user}@'127.0.0.1' IDENTIFIED BY '${password}';
GRANT ALL ON *.* TO ${user}@'127.0.0.1';
CREATE DATABASE ${database} CHARACTER SET utf8mb4;
`,
  )
  const said = openSync(join(directory, 'log'), 'a')
  const details = [
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    `--socket=${join(directory, 'socket')}`,
    `--pid-file=${join(directory, 'pid')}`,
    `--init-file=${first}`,
    '--server-id=1',
    '--log-bin=binlog',
    '--binlog-format=ROW',
    '--binlog-row-image=FULL',
    '--binlog-row-metadata=FULL',
    '--sync-binlog=0',
    '--innodb-flush-log-at-trx-commit=0',
    '--default-time-zone=+00:00',
    '--skip-name-resolve',
  ]
  const server = spawn('mariadbd', ['--no-defaults', ...own, ...details], { stdio: ['ignore', said, said], detached: true })
  const ended = new Promise<void>((done) => server.once('close', () => done()))
  const killLeftOver = () => void server.kill('SIGKILL')
  process.on('exit', killLeftOver)
  const client = ['-h', '127.0.0.1', '-P', String(port), '-u', user, `-p${password}`, '--batch', '--skip-column-names']
  const ask = async (sql: string) => {
    const asking = promisify(execFile)('mariadb', [...client, '--default-character-set=utf8mb4', database], { maxBuffer: 1e9 })
    asking.child.stdin!.end(sql)
    const { stdout } = await asking
    const lines = stdout.split('\n').filter((line) => line !== '')
    return lines.map((line) => line.split('\t').map((cell) => (cell === 'NULL' ? null : cell)))
  }
  for (let attempt = 1; ; attempt++) {
    try {
      await ask('select 1')
      break
    } catch (error) {
      if (server.exitCode !== null || attempt === 300)
        throw new Error(`MariaDB does not start: ${readFileSync(join(directory, 'log'), 'utf8')}`, { cause: error })
      await sleep(100)
    }
  }
  return {
    port,
    ask,
    async stop() {
      process.off('exit', killLeftOver)
      server.kill('SIGTERM')
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
