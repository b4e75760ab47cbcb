/** The options that say how a version is applied. */
import type { Mode } from '../streams/position.ts'
import { Problem } from '../utilities/values/problem.ts'
import type { Options } from './command.ts'

export const modeOptions = [
  ['--cold', 'what is new starts empty; rows from the switch on'],
  ['--forward-only', 'the state of what is new is replayed from history; rows from the switch on'],
  ['--backfill', 'rows of this version for all history (the default)'],
  ['--shadow', 'as --backfill, but not shown to SQL users yet'],
] as const

export function askedMode(options: Options): Mode | undefined {
  const given = (['cold', 'forward-only', 'backfill', 'shadow'] as const).filter(
    (mode) => options[mode === 'forward-only' ? 'forwardOnly' : mode] === true,
  )
  if (given.length > 1)
    throw new Problem(`${given.map((mode) => `--${mode}`).join(' and ')} exclude each other`, 'Choose one.', { usage: true })
  return given[0]
}
