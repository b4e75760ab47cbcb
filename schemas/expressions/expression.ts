/**
 * One expression in the words of PostgreSQL: read, typed over the columns that it may read, and refused by its place in the text where it
 * is wrong. It evaluates batches of columns, one pass for each operator.
 */
import { columnOf } from '../../utilities/values/columns.ts'
import { arithmeticWords } from './arithmetic-words.ts'
import { choiceWords, typedCase } from './choice-words.ts'
import type { Kind } from './kind.ts'
import { literal } from './literals.ts'
import { parseExpression } from './parse.ts'
import { refuseIn, type Refuse, type Syntax } from './syntax.ts'
import { testWords } from './test-words.ts'
import { textWords } from './text-words.ts'
import type { Expression } from './widen.ts'
import type { Operand, Word } from './word.ts'

/** The columns that an expression may read, by the names it knows them by; one of a joined table has a point in its name. */
export type Scope = ReadonlyMap<string, Kind>

const words: ReadonlyMap<string, Word> = new Map(Object.entries({ ...arithmeticWords, ...testWords, ...textWords, ...choiceWords }))

/** `label` says in messages whose it is. */
export function expression(label: string, text: string, scope: Scope): Expression {
  const refuse = refuseIn(label, text)
  return typedIn(scope, refuse)(parseExpression(text, refuse))
}

function typedIn(scope: Scope, refuse: Refuse): (syntax: Syntax) => Operand {
  // A word may look at an operand more than once.
  const known = new Map<Syntax, Operand>()
  const typed = (syntax: Syntax): Operand => {
    const operand = known.get(syntax) ?? { ...newlyTyped(syntax), at: syntax }
    known.set(syntax, operand)
    return operand
  }
  const newlyTyped = (syntax: Syntax): Expression => {
    switch (syntax.form) {
      case 'column':
        return column(syntax, scope, refuse)
      case 'case':
        return typedCase(syntax, typed, refuse)
      case 'call': {
        const { word, args } = syntax
        const { least, most, type } = words.get(word)!
        if (args.length < least || args.length > most) refuse(syntax, `${word} takes ${counted(least, most)}`, 'Write so many.')
        return type({ ...syntax, typed, refuse })
      }
      default:
        return literal(syntax, refuse)
    }
  }
  return typed
}

const counted = (least: number, most: number) =>
  `${most === Infinity ? `${least} or more` : most === least ? least : `${least} or ${most}`} ${most === 1 ? 'operand' : 'operands'}`

type ColumnSyntax = Extract<Syntax, { form: 'column' }>

/** Without quotes a name is any that differs in capitals alone. */
function columnNamed({ name, quoted }: ColumnSyntax, scope: Scope): string | undefined {
  const alike = [...scope.keys()].filter((one) => one.toLowerCase() === name.toLowerCase())
  return alike.includes(name) ? name : quoted || alike.length !== 1 ? undefined : alike[0]!
}

/** The columns that it reads, of those of the scope, in the order of those. */
export function columnsRead(label: string, text: string, scope: Scope): readonly string[] {
  const read = new Set<string | undefined>()
  const walk = (syntax: Syntax): void => {
    if (syntax.form === 'column') read.add(columnNamed(syntax, scope))
    else if (syntax.form === 'call') syntax.args.forEach(walk)
    else if (syntax.form === 'case') {
      const { of, whens, otherwise } = syntax
      for (const one of [of, ...whens.flatMap(({ when, value }) => [when, value]), otherwise]) if (one) walk(one)
    }
  }
  walk(parseExpression(text, refuseIn(label, text)))
  return [...scope.keys()].filter((name) => read.has(name))
}

function column(syntax: ColumnSyntax, scope: Scope, refuse: Refuse): Expression {
  const found = columnNamed(syntax, scope)
  const kind = found === undefined ? undefined : scope.get(found)
  if (found === undefined || kind === undefined)
    return refuse(syntax, `there is no column ${syntax.name}`, `There are ${[...scope.keys()].join(', ')}.`)
  return { kind, evaluate: (batch) => ({ column: columnOf(batch, found, kind.kind as Exclude<Kind['kind'], 'null'>) }) }
}
