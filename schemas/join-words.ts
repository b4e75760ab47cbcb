/** Joins as the author of a fact writes them: each a table, the columns that its key must equal, and what else is said of it. */
import { Problem } from '../utilities/values/problem.ts'
import type { Join, Table } from './record.ts'

export type JoinWords<Options> =
  | readonly [table: Table, on: string | readonly string[]]
  | readonly [table: Table, on: string | readonly string[], options: Options]

type Written<Options> = { readonly [name: string]: JoinWords<Options> }

/** `known` are the options that there are; `joinOf` makes the join of them. */
export function joinsOf<Options extends { readonly optional?: boolean }, J extends Join>(
  fact: string,
  written: Written<Options> = {},
  known: readonly (keyof Options & string)[],
  joinOf: (join: Join, options: Options, name: string) => J,
): { readonly [name: string]: J } {
  const joins = Object.entries(written).map(([name, [table, on, options = {} as Options]]): [string, J] => {
    mustBeTable(fact, table, `what it joins as ${name}`)
    const unknown = Object.keys(options).find((option) => !known.some((one) => one === option))
    if (unknown !== undefined)
      throw new Problem(
        `fact ${fact}: the join ${name} has no option ${unknown}`,
        known.length === 1 ? `Its option is ${known[0]}.` : `Its options are ${known.join(' and ')}.`,
      )
    return [name, joinOf({ table, on: typeof on === 'string' ? [on] : on, optional: options.optional === true }, options, name)]
  })
  return Object.fromEntries(joins)
}

export function mustBeTable(fact: string, table: Table | undefined, what: string): void {
  if (!Array.isArray(table?.key)) throw new Problem(`fact ${fact}: ${what} is no table`, "Make one by table('name', { key }, { … }).")
}
