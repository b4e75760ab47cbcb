/** The steps of a driven life: a command, maybe cut short, or somebody who changes a row behind everybody's back. */
import type { Mode } from '../../streams/position.ts'
import type { Cut } from '../faults.ts'

export type Years = readonly [from: number, to: number]

export type Command =
  | { readonly do: 'apply'; readonly version: number; readonly mode: Exclude<Mode, 'first'> }
  | { readonly do: 'promote' | 'retire' | 'verify'; readonly version: number }
  | { readonly do: 'rollback' | 'consume' | 'sink' | 'undo' | 'repair' }
  | { readonly do: 'produce' | 'backfill'; readonly years: Years }
  | { readonly do: 'diff'; readonly from: number; readonly to: number }

type Damage = 'rows gone' | 'rows changed' | 'rows added' | 'views gone' | 'records changed' | 'all gone'

export type Step =
  | { readonly command: Command; readonly cut?: Cut }
  /** Two at once. */
  | { readonly together: readonly [Command, Command] }
  /** Whatever was cut short before is finished: by the same command, or by what the message of the unfinished says. */
  | { readonly finish: 'again' | 'as told' }
  /** A row of a version is changed or deleted; verify must see it, and it is put back. `place` says which row, from 0 to 1. */
  | { readonly tamper: 'change' | 'delete'; readonly version: number; readonly place: number }
  /** Something of the warehouse is lost or changed: verify and doctor must tell, and repair, maybe cut short at first, must mend it. */
  | { readonly damage: Damage; readonly version: number; readonly place: number; readonly cut?: Cut }

/** What verify found, and the numbers that it named. */
export type Said = { readonly equal: boolean; readonly named: readonly number[] }

export const changesVersions = (command: Command): boolean => ['apply', 'promote', 'rollback', 'retire', 'repair'].includes(command.do)

export function inWords(step: Step): string {
  if ('finish' in step) return `finish ${step.finish}`
  if ('tamper' in step) return `somebody does a ${step.tamper} of a row of @${step.version}`
  if ('together' in step) return step.together.map(commandInWords).join(' beside ')
  if ('damage' in step) return `${step.damage} at ${step.place.toFixed(3)} of @${step.version}, and repair${cutInWords(step.cut)}`
  return `${commandInWords(step.command)}${cutInWords(step.cut)}`
}

const cutInWords = (cut: Cut | undefined) =>
  cut === undefined ? '' : cut.kind === 'kill' ? ` (killed at write ${cut.write})` : ` (stopped at call ${cut.call})`

/** As the command line has it, without the set's name in it. */
function commandInWords(command: Command): string {
  switch (command.do) {
    case 'apply':
      return `apply @${command.version} --${command.mode}`
    case 'promote':
    case 'retire':
    case 'verify':
      return `${command.do} @${command.version}`
    case 'produce':
    case 'backfill':
      return `${command.do} --years ${command.years.join('-')}`
    case 'diff':
      return `diff @${command.from} @${command.to}`
    case 'undo':
      return 'backfill --undo'
    default:
      return command.do
  }
}
