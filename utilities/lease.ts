/** A lease: one process at a time runs a stage in a data directory, and whoever comes second is told who holds it. */
import { Problem } from './values/problem.ts'

export interface Lease {
  /** Lets the next one in; the end of the process, however it comes, does the same. */
  close(): Promise<void>
}

export type LeaseOptions = {
  /** It lets others in again and again, and waits for as long as one of them has it. */
  readonly givesWay: boolean
  /** Ends its waiting, with a `Held`. */
  readonly signal?: AbortSignal
}

/** Somebody else has it. */
export class Held extends Problem {}

/** What the holder of a lease says of itself, for messages only. */
export type Owner = {
  readonly pid: number
  readonly host: string
  readonly since: string
  readonly command: string
  /** It lets others in again and again: who waits a little gets it. */
  readonly givesWay?: boolean
}

export type Holder = Owner & { readonly name: string }
