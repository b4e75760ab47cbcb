/** Reads an expression by the grammar of PostgreSQL, and refuses what is more than we evaluate. The door to pgsql-ast-parser. */
import { createRequire } from 'node:module'
import type * as Parser from 'pgsql-ast-parser'
import { grammar, type Place, type Refuse, type Syntax } from './syntax.ts'

/** Loaded when the first expression is read: it takes as long as all the rest of a command's start. */
let loaded: typeof Parser | undefined
const parser = () => (loaded ??= createRequire(import.meta.url)('pgsql-ast-parser') as typeof Parser)

const comparisons = ['=', '!=', '<', '<=', '>', '>=']
const binary: ReadonlySet<string> = new Set([...comparisons, '+', '-', '*', '/', '||', 'AND', 'OR', 'LIKE', 'NOT LIKE'])
const unary: ReadonlySet<string> = new Set(['-', 'NOT', ...['NULL', 'TRUE', 'FALSE'].flatMap((one) => [`IS ${one}`, `IS NOT ${one}`])])
const functions: ReadonlySet<string> = new Set('round coalesce nullif abs lower upper trim substr length'.split(' '))

const plainCall = ['type', 'function', 'args', '_location']

/** Some of these bind otherwise for the parser than for PostgreSQL where one stands in another without parentheses. */
const tests: ReadonlySet<string> = new Set([...comparisons, 'in', 'like', 'between', 'is null', 'is true', 'is false'])

/** Those of facts are read again with every schema that carries them. */
const read = new Map<string, Syntax>()
const mostRead = 1000

export function parseExpression(given: string, refuse: Refuse): Syntax {
  const known = read.get(given) ?? readAnew(given, refuse)
  if (read.size >= mostRead) read.clear()
  read.set(given, known)
  return known
}

function readAnew(given: string, refuse: Refuse): Syntax {
  const { text, original } = spaced(given)
  const placeOf = ({ _location: at }: Parser.PGNode): Place => ({ from: original(at?.start ?? 0), to: original(at?.end ?? text.length) })
  const written = (node: Parser.PGNode) => text.slice(node._location?.start, node._location?.end)

  /** Whether parentheses stand around it; in the first place within one they may be another's, which does no harm. */
  const enclosed = (node: Parser.PGNode) => text.slice(0, node._location?.start).trimEnd().endsWith('(')

  const call = (node: Parser.PGNode, word: string, args: readonly Parser.Expr[]): Syntax => {
    const parts = args.map(syntaxOf)
    for (const [i, part] of parts.entries()) {
      if (!tests.has(word) || word.startsWith('is ')) break
      if (part.form === 'call' && (tests.has(part.word) || part.word === 'not') && !enclosed(args[i]!) && !(word === 'in' && i > 0))
        refuse(part, `it stands in ${word} without parentheses`, `Put parentheses around it.`)
    }
    return { ...placeOf(node), form: 'call', word, args: parts }
  }
  const not = (node: Parser.PGNode, inner: Syntax): Syntax => ({ ...placeOf(node), form: 'call', word: 'not', args: [inner] })

  function syntaxOf(node: Parser.Expr): Syntax {
    const place = placeOf(node)
    const unknown = (): never => refuse(place, 'that is no part of these expressions', grammar)
    switch (node.type) {
      case 'ref':
        if (node.table?.schema !== undefined || node.name === '*') return unknown()
        return {
          ...place,
          form: 'column',
          name: node.table ? `${node.table.name}.${node.name}` : node.name,
          quoted: written(node).includes('"'),
        }
      case 'integer':
      case 'numeric':
        return { ...place, form: 'figure', text: written(node) }
      case 'string':
        return written(node).startsWith("'") ? { ...place, form: 'text', text: node.value } : unknown()
      case 'boolean':
        return { ...place, form: 'flag', value: node.value }
      case 'null':
        return { ...place, form: 'null' }
      case 'cast': {
        const { operand, to } = node
        const type = /^(date|timestamp)\s*'/i.exec(written(node))?.[1]?.toLowerCase()
        if (operand.type !== 'string' || 'kind' in to || (type !== 'date' && type !== 'timestamp')) return unknown()
        return { ...place, form: type, text: operand.value }
      }
      case 'unary': {
        if (!unary.has(node.op)) return unknown()
        if (node.op.startsWith('IS NOT ')) return not(node, call(node, `is ${node.op.slice(7).toLowerCase()}`, [node.operand]))
        const inner = call(node, node.op === '-' ? 'minus' : node.op.toLowerCase(), [node.operand])
        const [operand] = (inner as { args: readonly Syntax[] }).args
        // As PostgreSQL has it, so that the least integer can be written.
        if (node.op === '-' && operand?.form === 'figure')
          return { ...place, form: 'figure', text: operand.text.startsWith('-') ? operand.text.slice(1) : `-${operand.text}` }
        return inner
      }
      case 'binary': {
        const { op, left, right } = node
        if (op === 'IN' || op === 'NOT IN') {
          if (!text.slice(left._location?.end, right._location?.start).trimEnd().endsWith('(')) return unknown()
          const among = call(node, 'in', [left, ...(right.type === 'list' ? right.expressions : [right])])
          return op === 'IN' ? among : not(node, among)
        }
        if (!binary.has(op)) return unknown()
        return op === 'NOT LIKE' ? not(node, call(node, 'like', [left, right])) : call(node, op.toLowerCase(), [left, right])
      }
      case 'ternary': {
        const within = call(node, 'between', [node.value, node.lo, node.hi])
        return node.op === 'BETWEEN' ? within : not(node, within)
      }
      case 'call': {
        const { function: word, args } = node
        // Whatever else is said of it (distinct, over, filter) has a member of its own.
        if (Object.keys(node).some((key) => !plainCall.includes(key)) || word.schema !== undefined || !functions.has(word.name))
          return unknown()
        return call(node, word.name, args)
      }
      case 'case':
        return {
          ...place,
          form: 'case',
          of: node.value ? syntaxOf(node.value) : null,
          whens: node.whens.map(({ when, value }) => ({ when: syntaxOf(when), value: syntaxOf(value) })),
          otherwise: node.else ? syntaxOf(node.else) : null,
        }
      default:
        return unknown()
    }
  }

  const [tree] = parsed(text, (at) => refuse({ from: original(at), to: original(at) + 20 }, 'that cannot be read', grammar))
  return syntaxOf(tree!)
}

function parsed(text: string, refuse: (at: number) => never): readonly Parser.Expr[] {
  try {
    // With this entry the parser gives expressions, whatever its types say.
    return parser().parse(text, { entry: 'expr', locationTracking: true }) as unknown as readonly Parser.Expr[]
  } catch (error) {
    const { token, message } = error as { readonly token?: { readonly offset: number }; readonly message: string }
    const column = /col (\d+)/.exec(message)?.[1]
    return refuse(token?.offset ?? (column === undefined ? text.length : Number(column) - 1))
  }
}

/** The parser takes `a-1` for two literals: a minus gets a space before its digits. Comments go, since they may have anything in them. */
function spaced(given: string): { readonly text: string; readonly original: (at: number) => number } {
  const added: number[] = []
  const text = given.replace(/'[^']*'|"[^"]*"|--[^\n]*|\/\*[^]*?\*\/|-(?=[\d.])/g, (found, from: number) => {
    if (found.startsWith('--') || found.startsWith('/*')) return ' '.repeat(found.length)
    if (found !== '-') return found
    added.push(from + 1 + added.length)
    return '- '
  })
  return { text, original: (at) => at - added.filter((one) => one < at).length }
}
