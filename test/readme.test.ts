/**
 * Types what README.md and the guide show into a shell, in a fresh copy of the checkout, and compares what is printed with what they show.
 */
import { execFile, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from './cdc/connect.ts'
import { freshFolder, until } from './cli-run.ts'
import { limitMs } from './loan-folders.ts'

const run = promisify(execFile)

async function freshCheckout(): Promise<string> {
  const folder = freshFolder()
  const { stdout } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { maxBuffer: 1 << 26 })
  for (const file of stdout.split('\0').filter((one) => one !== '' && existsSync(one))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    copyFileSync(file, join(folder, file))
  }
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  return folder
}

type Block = { readonly language: string; readonly file: string | undefined; readonly lines: readonly string[] }
type Step = { readonly command: string; readonly shown: readonly string[] }

/** Fenced blocks in order; a word behind the language is the file to save the block as. */
const blocksOf = (markdown: string): Block[] =>
  [...markdown.matchAll(/^```(\w+)(?: (\S+))?\n([^]*?)^```$/gm)].map(([, language, file, text]) => ({
    language: language!,
    file,
    lines: text!.replace(/\n$/, '').split('\n'),
  }))

/** Each line behind `$ ` is typed; the lines below it are what it prints. */
function stepsOf(lines: readonly string[]): Step[] {
  const starts = lines.flatMap((line, i) => (line.startsWith('$ ') ? [i] : []))
  return starts.map((at, i) => ({
    command: lines[at]!.slice(2),
    shown: lines
      .slice(at + 1, starts[i + 1])
      .join('\n')
      .trimEnd()
      .split('\n'),
  }))
}

/** Installing is what the fresh copy stands for, and these very tests need not run again inside themselves. */
const typed = (command: string): string | undefined => (command.endsWith('npm run check') ? undefined : command.replace('npm ci && ', ''))

/** As a shell of the user's has it: without what a test run adds. */
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_)/.test(name))),
  PATH: process.env['PATH']!.split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .join(delimiter),
}

/** What differs from run to run: moments, durations, sizes on disk, and who you are; with the width of the columns that they stand in. */
const withoutChance = (line: string): string =>
  line
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'WHEN')
    .replace(/\babout [\d.]+ (?:ms|s|MB)\b|\b\d+ min \d+ s\b/g, 'ABOUT')
    .replace(new RegExp(`(?<= )(you|${userInfo().username})(?= |$)`, 'g'), 'WHO')
    .replace(/─+/g, '─')
    .replace(/ +/g, ' ')
    .trimEnd()

/** The first line that is not as shown; a lone … stands for any lines. */
function firstDifference(shown: readonly string[], printed: readonly string[]): string | undefined {
  for (const [i, line] of shown.entries()) {
    if (line === '…') {
      const rest = shown.slice(i + 1)
      return rest.length === 0 ? undefined : firstDifference(rest, printed.slice(-rest.length))
    }
    if (withoutChance(line) !== withoutChance(printed[i] ?? '')) return `shown:   ${line}\nprinted: ${printed[i] ?? ''}`
  }
  return printed.length > shown.length ? `printed, but not shown: ${printed[shown.length]}` : undefined
}

/** What `npm install tidemark` leaves in a folder that holds nothing else. */
function freshInstall(): string {
  const folder = freshFolder()
  mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true })
  symlinkSync(resolve('.'), join(folder, 'node_modules', 'tidemark'))
  symlinkSync('../tidemark/tidemark.js', join(folder, 'node_modules', '.bin', 'tidemark'))
  return folder
}

/** There is no checkout to start there: the README names the command that npm start runs. */
const typedThere = (command: string): string | undefined => (command.endsWith('npm start') ? 'npx tidemark demo' : typed(command))

/** `program` is what npx starts there. */
type Place = readonly [where: string, make: () => string | Promise<string>, typed: (command: string) => string | undefined, program: string]
const checkout: Place = ['in a checkout', freshCheckout, typed, './tidemark.js']
const installed: Place = [
  'in a folder that holds nothing but the installed package',
  freshInstall,
  typedThere,
  './node_modules/.bin/tidemark',
]

/** What stays: it is started where nobody else listens, and is over with the test. */
async function stay(line: string, folder: string, port: number): Promise<void> {
  const child = spawn('bash', ['-c', `exec ${line}`], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void child.kill())
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  await until(() => said.includes(' answered at ') || child.exitCode !== null)
  expect(said).toContain(' answered at ')
  await until(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok)
}

describe.each<readonly [document: string, places: readonly Place[]]>([
  ['README.md', [checkout, installed]],
  // It needs nothing that the README does not.
  ['docs/bump-a-version.md', [checkout]],
  ['docs/your-own-data.md', [installed]],
  ['docs/invoices.md', [installed]],
])('%s', (document, places) => {
  it.each(places)(
    'shows what its commands print, %s',
    async (_, folderFor, typed, program) => {
      const folder = await folderFor()
      let commands = 0
      let byNpx = 0
      const port = await freePort()
      for (const { language, file, lines } of blocksOf(readFileSync(document, 'utf8'))) {
        if (file) writeFileSync(join(folder, file), lines.join('\n') + '\n')
        if (language !== 'console') continue
        for (const { command, shown } of stepsOf(lines)) {
          const words = typed(command)
          if (words === undefined) continue
          commands++
          // npx takes three times as long as what it starts, and finds the second time what it found the first.
          const asTyped = !words.startsWith('npx tidemark ') || byNpx++ === 0
          const line = (asTyped ? words : words.replace('npx tidemark', program)).replace('localhost:7070', `localhost:${port}`)
          if (line.endsWith(' &')) {
            await stay(`${line.slice(0, -2)} --port ${port}`, folder, port)
            continue
          }
          const { stdout } = await run('bash', ['-c', line], { cwd: folder, env, maxBuffer: 1 << 26 })
          // `npm start` tells a whole story, which nobody shows line by line.
          if (!/^(npm start|npx tidemark demo)$/.test(words))
            expect(firstDifference(shown, stdout.trimEnd().split('\n')), `$ ${command}\n${stdout}`).toBeUndefined()
        }
      }
      expect(commands).toBeGreaterThan(10)
      expect(byNpx).toBeGreaterThan(0)
    },
    limitMs,
  )
})
