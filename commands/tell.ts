/** Stories of commands as a user would type them, told one behind the other in a directory that is made afresh. */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from '../utilities/running/make-directory.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Command, Context, Options } from './command.ts'
import type { Console } from './console.ts'

const mark = 'made-by-tidemark-demo'

/** The commands that stories are told with. */
const told: Readonly<Record<string, Command['load']>> = {
  generate: () => import('./generate.ts'),
  apply: () => import('./apply.ts'),
  backfill: () => import('./backfill.ts'),
  produce: () => import('./produce.ts'),
  load: () => import('./load.ts'),
  tick: () => import('./tick.ts'),
  up: () => import('./up.ts'),
  export: () => import('./export.ts'),
}

/** Each line with its result below; false when it was told to stop. */
export async function tell(
  lines: readonly string[],
  config: Context['config'],
  { console, signal }: Pick<Context, 'console' | 'signal'>,
): Promise<boolean> {
  for (const line of lines) {
    if (signal.aborted) break
    console.note(`$ tidemark ${line}`)
    const { name, args, options } = typed(line)
    const { run } = await told[name]!()
    const code = await run({ args, options, config, console: quiet(console), signal })
    if (code) throw new Problem(`the demo stopped at: tidemark ${line}`, 'Please report it with the lines above.')
  }
  return !signal.aborted
}

/** As commander reads it, where arguments come before options. */
function typed(line: string): { readonly name: string; readonly args: readonly string[]; readonly options: Options } {
  const [name, ...words] = line.split(' ')
  const begin = words.findIndex((word) => word.startsWith('--'))
  const args = begin === -1 ? words : words.slice(0, begin)
  const options: { [name: string]: string | boolean } = {}
  for (let at = args.length; at < words.length; at++) {
    const option = words[at]!.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
    const value = words[at + 1]
    options[option] = value === undefined || value.startsWith('--') ? true : (at++, value)
  }
  return { name: name!, args, options }
}

/** Removes only what an earlier demo made. */
export function makeAfresh(dir: string): void {
  makeDirectory(dir)
  if (readdirSync(dir).length > 0 && !existsSync(join(dir, mark))) {
    throw new Problem(`${dir} is not empty and was not made by the demo`, 'Give it another folder with --data-dir.')
  }
  rmSync(dir, { recursive: true, force: true })
  makeDirectory(dir)
  writeFileSync(join(dir, mark), 'tidemark demo removes this folder and makes it again.\n')
}

/** The results of the commands as the story tells them; their own notes and plans are left out. */
const quiet = (console: Console): Console => ({
  ...console,
  note: () => {},
  confirm: async () => true,
  result: (text) => console.note(text.replace(/^/gm, '  ')),
})
