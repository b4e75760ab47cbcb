/** What a definition may say of a feature that an operator computes: of which field, over which window, with which options. */
import { isFact } from '../schemas/fact.ts'
import type { Field, RecordSchema } from '../schemas/record.ts'
import type { OperatorSpec } from './define-operator.ts'
import { givenFor, kindsOf, operatorOf, operators, windowNamed, windowsGiven, windowsOf } from './known-operators.ts'

type Refuse = (what: string, todo: string) => never

export function checkSpec(spec: OperatorSpec, record: RecordSchema, refuse: Refuse): void {
  const field = Object.hasOwn(record.fields, spec.of) ? record.fields[spec.of] : undefined
  if (!field) return refuse(`${record.name} has no field ${spec.of}`, `Its fields are ${Object.keys(record.fields).join(', ')}.`)
  if (isFact(record)) checkOverFacts(spec, refuse)
  checkOptions(spec, field, refuse)
  checkWindow(spec, record, refuse)
  checkWhen(spec, record, refuse)
}

function checkOverFacts(spec: OperatorSpec, refuse: Refuse): void {
  const { op, overFacts } = operatorOf(spec)
  if (overFacts !== undefined) refuse(`${op} goes by the order in which records came, and facts can change or be taken back`, overFacts)
}

function checkOptions(spec: OperatorSpec, field: Field, refuse: Refuse): void {
  const operator = operatorOf(spec)
  const wanted = eitherOf(kindsOf(operator))
  const result = givenFor(spec, field)
  if (!result) {
    const others = operators.filter(({ gives }) => gives[field.kind]).map(({ op }) => op)
    return refuse(`${spec.op} needs a ${wanted}, ${spec.of} is ${aKind(field)}`, `Use a ${eitherOf([`${wanted} field`, ...others])}.`)
  }
  for (const [param, { accepts, todo, needed }] of Object.entries(operator.params)) {
    const given = spec[param]
    if (given === undefined && needed !== undefined)
      refuse(`it has no ${param}`, `Give it one, e.g. { ${param}: ${JSON.stringify(needed)} }.`)
    if (given !== undefined && !accepts(given)) refuse(`${param} is ${JSON.stringify(given)}`, todo)
  }
  if (result.round === 'must' && spec['round'] === undefined)
    refuse(`${spec.op} of ${aKind(field)} is a decimal, and nothing says of how many places`, 'Give it one, e.g. { round: 2 }.')
  if (result.round === 'cannot' && spec['round'] !== undefined)
    refuse(`${spec.op} of ${aKind(field)} is exact, and round would do nothing`, 'Leave round out.')
}

const aKind = ({ kind }: Field): string => `${kind === 'integer' ? 'an' : 'a'} ${kind}`

const eitherOf = (words: readonly string[]): string => words.join(', ').replace(/, ([^,]*)$/, ' or $1')

function checkWindow(spec: OperatorSpec, { name, at, fields }: RecordSchema, refuse: Refuse): void {
  const operator = operatorOf(spec)
  const given = windowsGiven(operator, spec)
  const hasHours = fields[at]?.kind === 'timestamp'
  const examples = windowsOf(operator)
    .map((window) => [window, windowNamed(window)] as const)
    .filter(([, { readsHour, example }]) => hasHours || !readsHour?.(example))
    .map(([window, { example }]) => `{ ${window}: ${JSON.stringify(example)} }`)
  if (given.length === 0) refuse('it has no window', `Give it one, e.g. ${eitherOf(examples)}.`)
  for (const window of given) {
    const { accepts, todo, readsHour } = windowNamed(window)
    if (!accepts(spec[window])) refuse(`its window is ${JSON.stringify(spec[window])}`, todo)
    if (readsHour?.(spec[window]) && !hasHours)
      refuse(
        `${window === 'unit' ? 'hours' : window} are counted from a timestamp, and ${at}, which says when a ${name} happened, is none`,
        `Use days, or make ${at} a timestamp() field.`,
      )
  }
}

function checkWhen({ when }: OperatorSpec, { name, fields }: RecordSchema, refuse: Refuse): void {
  if (when === undefined) return
  const field = typeof when === 'string' && Object.hasOwn(fields, when) ? fields[when] : undefined
  if (field?.kind === 'flag') return
  const flags = Object.keys(fields).filter((one) => fields[one]!.kind === 'flag')
  const todo = flags.length > 0 ? `Its flags are ${flags.join(', ')}.` : 'Give the record a flag() field, and name it.'
  refuse(`when: ${JSON.stringify(when)} is no flag field of ${name}`, todo)
}
