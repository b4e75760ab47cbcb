/** What a life is played on: a store that runs commands, may cut them short, and can be looked at. */
import type { Problem } from '../../utilities/values/problem.ts'
import type { Cut } from '../faults.ts'
import type { Look } from './look.ts'
import type { Command, Said } from './step.ts'

/** `cut` when the fault came, whatever the command made of it. */
export type Outcome =
  | { readonly ended: 'done' | 'cut'; readonly said?: Said | undefined }
  | { readonly ended: 'refused'; readonly why: Problem }

/** The store did what it should not. */
export class Wrong extends Error {
  override readonly name = 'Wrong'
}

export interface DrivenStore {
  /** Fails only with what no command may fail with. */
  run(command: Command, cut?: Cut): Promise<Outcome>
  look(): Promise<Look>
  /** What doctor finds amiss with the set by a quick look. */
  complaints(): Promise<readonly string[]>
  /** A text that is another one when anything that is kept has changed. */
  print(): Promise<string>
  /** Changes rows behind everybody's back. */
  sql(statement: string): Promise<void>
  close(): Promise<void>
}
