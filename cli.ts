/** Words in, one command run, exit code out. */
import { existsSync, readFileSync } from 'node:fs'
import { CommanderError, Command as Commander } from 'commander'
import type { Command, Context, Options } from './commands/command.ts'
import { commands } from './commands/table.ts'
import { seenOn } from './utilities/values/printable.ts'
import { Problem } from './utilities/values/problem.ts'

const demoDir = '.tidemark-demo'
const ownConfig = 'tidemark.json'

// Whoever reads the output may have seen enough, as head does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const packageFile = new URL(existsSync(new URL('./package.json', import.meta.url)) ? './package.json' : '../package.json', import.meta.url)
const { version, description } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string; description: string }

const program = new Commander('tidemark')
  .description(description)
  .version(version)
  .exitOverride()
  .configureOutput({ writeErr: (text) => process.stderr.write(seenOn(process.stderr, oneLine(text))) })
  .showSuggestionAfterError(true)
  .addHelpText('after', '\nStart with: tidemark demo\nExit codes: 0 done, 1 a problem (the message says what to do), 2 usage.')

for (const command of commands) {
  const words = program
    .command(`${command.name}${command.args ? ` ${command.args}` : ''}`)
    .summary(command.summary)
    .description(command.summary)
    .option('--config <file>', 'config file (default: tidemark.json where it is there, else the embedded profile)')
    .option('--data-dir <dir>', 'where the embedded parts live (default: .tidemark)')
    .option('--json', 'the result as JSON')
    .option('--yes', 'answer yes to what it asks')
    .addHelpText('after', `\nExample:\n  $ ${command.example}`)
    .exitOverride()
    .copyInheritedSettings(program)
  for (const [flags, text] of command.options ?? []) words.option(flags, text)
  words.action(async (...given: unknown[]) => {
    const args = given
      .slice(0, -2)
      .flat()
      .filter((one): one is string => typeof one === 'string')
    process.exitCode = await runCommand(command, args, words.opts())
  })
}

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? 0 : 2
}

async function runCommand(command: Command, args: readonly string[], options: Options): Promise<number> {
  const { openConsole } = await import('./commands/console.ts')
  const console = openConsole({ json: options['json'] === true, yes: options['yes'] === true })
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130)
    stop.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    // Where somebody has begun with records of his own, nothing needs to be said.
    const named = (options['config'] as string | undefined) ?? (existsSync(ownConfig) && !command.tellsOwn ? ownConfig : undefined)
    const { readConfig } = await import('./config/config.ts')
    const { withFeatures } = await import('./commands/features.ts')
    const read = withFeatures(command, options, readConfig(named, process.env))
    const given = options['dataDir'] as string | undefined
    const elsewhere = [read.log, read.registry, read.warehouse].every(({ kind }) => kind !== 'embedded')
    const dataDir = elsewhere
      ? (given ?? read.dataDir)
      : await placeOf(command, options, read, given ?? read.dataDir, given !== undefined || named !== undefined, console.note)
    const context: Context = { args, options, config: { ...read, dataDir }, console, signal: stop.signal }
    return (await (await command.load()).run(context)) ?? 0
  } catch (error) {
    return sayWhy(error, console)
  } finally {
    console.close()
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

/** commander's complaint as ours look: one line, and where to read on. */
function oneLine(text: string): string {
  if (!text.startsWith('error: ')) return text
  const words = text.slice('error: '.length).trim().replace(/\n\(?/g, '. ').replace(/\)$/, '')
  return `tidemark: ${words}${/[.?]$/.test(words) ? '' : '.'} See: tidemark --help\n`
}

/** A newcomer's first query after the demo finds the demo's data; a command that needs data makes no folder for it. */
async function placeOf(
  command: Command,
  options: Context['options'],
  config: Context['config'],
  dataDir: string,
  given: boolean,
  note: (text: string) => void,
): Promise<string> {
  const { onExisting } = command
  if (!(typeof onExisting === 'function' ? onExisting(options) : onExisting) || existsSync(dataDir)) return dataDir
  if (!given && dataDir === '.tidemark' && existsSync(demoDir)) {
    note(`(no data in ${dataDir} yet: using the demo's, ${demoDir})`)
    return demoDir
  }
  const { nothingYet } = await import('./commands/first-apply.ts')
  throw new Problem(
    `nothing is applied in ${dataDir}: there is no such folder`,
    `${await nothingYet(config)}, or see it all with: tidemark demo`,
  )
}

function sayWhy(
  error: unknown,
  {
    json,
    note,
    result,
  }: { json: boolean; note: (text: string) => void; result: (text: string, value: { error: { what: string; todo: string } }) => void },
): number {
  if (error instanceof Problem) {
    if (json) result('', { error: { what: error.what, todo: error.todo } })
    note(`tidemark: ${error.what}. ${error.todo}`)
    return error.exitCode
  }
  if (error instanceof Error && error.name === 'Fenced') {
    return sayWhy(
      new Problem(error.message, 'Wait until the other process is done, and run this again: it goes on from what was kept.', {
        cause: error,
      }),
      { json, note, result },
    )
  }
  if (error instanceof Error && error.name === 'AbortError') {
    // Not done is not 0: a script must not go on as if it were.
    note('tidemark: interrupted. What was done is saved; run it again to finish it.')
    return 1
  }
  note(`tidemark: a bug of Tidemark's own: ${error instanceof Error ? error.stack : String(error)}\nPlease report it with this text.`)
  return 1
}
