/** Child processes and directories of a test, gone when it ends. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const program = fileURLToPath(new URL('./child.ts', import.meta.url))

export function newDirectory(): { readonly dir: string; readonly remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'tidemark-test-'))
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

type Child = {
  readonly process: ChildProcess
  /** What it says, line by line; ends with it. */
  readonly lines: AsyncIterator<string>
  /** Resolves when it is gone, to all that it wrote to standard error. */
  readonly ended: Promise<string>
  kill(): Promise<void>
}

/** Starts a job of child.ts. */
export function startChild(...args: readonly string[]): Child {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const errors = text(child.stderr)
  // Not `close`: that waits until everything it said was read.
  const ended = new Promise<string>((resolve) => child.on('exit', () => resolve(errors)))
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  onTestFinished(kill)
  return { process: child, lines, ended, kill }
}

/** The next line, or a failure with what the child had to say instead. */
export async function nextLine({ lines, ended }: Child): Promise<string> {
  const { value, done } = await lines.next()
  if (done) throw new Error(`the child ended: ${await ended}`)
  return value
}

/** The lines it wrote before it ended. */
export async function remainingLines({ lines }: Child): Promise<string[]> {
  const rest: string[] = []
  for (let line = await lines.next(); !line.done; line = await lines.next()) rest.push(line.value)
  return rest
}
