/** Every address but the one for features: what it answers, and what the description of the API says of it. */
import type { Serving } from '../serving/serving.ts'
import { readinessOf, type Readiness } from '../use-cases/serve.ts'
import { allSets, factOf, rowOf, setNamed } from './answers.ts'
import { jsonAnswer, type Answer } from './answer.ts'
import type { Metrics } from './metrics.ts'
import { decoded, partsOf } from './path.ts'

export type Served = { readonly serving: Serving; readonly metrics: Metrics }

export type Route = {
  /** With its variable pieces in braces, as OpenAPI has them. */
  readonly path: string
  /** Whoever looks after the process has no token. */
  readonly isOpen?: true
  readonly summary: string
  /** By status: the name of the schema. */
  readonly gives: Readonly<Record<number, string>>
  /** Of the variable pieces, as they stand in the address. */
  readonly answer: (served: Served, pieces: readonly string[]) => Answer | Promise<Answer>
}

const reading =
  (look: (...asked: [...Parameters<Parameters<Serving['read']>[0]>, ...pieces: string[]]) => unknown): Route['answer'] =>
  ({ serving }, pieces) =>
    jsonAnswer(serving.read((state) => look(state, ...pieces)))

const placeText = ({ topic, partition, offsets }: Readiness['behind'][number]) =>
  `${topic}, partition ${partition}, has ${offsets} offsets to go`

const found = (schema: string) => ({ 200: schema, 400: 'Error', 404: 'Error', 503: 'Error' })

export const routes: readonly Route[] = [
  {
    path: '/healthz',
    isOpen: true,
    summary: 'The process answers',
    gives: { 200: 'Health' },
    answer: () => jsonAnswer({ status: 'ok' }),
  },
  {
    path: '/readyz',
    isOpen: true,
    summary: 'What was there at the start has been read; until then, how far it is',
    gives: { 200: 'Ready', 503: 'NotReady' },
    answer({ serving }) {
      const { isReady, behind } = readinessOf(serving)
      if (isReady) return jsonAnswer({ status: 'ready' })
      const what = behind.length === 0 ? 'it has just begun to read' : `it catches up: ${behind.map(placeText).join('; ')}`
      return jsonAnswer({ error: { what, todo: 'Wait, and ask again.' }, behind }, 503)
    },
  },
  {
    path: '/metrics',
    summary: 'What was counted, as OpenMetrics',
    gives: { 200: 'text' },
    answer: async ({ metrics }) => ({ status: 200, type: metrics.type, text: await metrics.text(), headers: {} }),
  },
  { path: '/v1/sets', summary: 'Every feature set and its versions', gives: { 200: 'Sets' }, answer: reading(allSets) },
  {
    path: '/v1/sets/{set}',
    summary: 'A feature set with its versions or, as SET@VERSION, one version of it',
    gives: found('Set'),
    answer: reading((state, set) => setNamed(state, decoded(set!))),
  },
  {
    path: '/v1/sets/{set}/row',
    summary: 'The newest row of a set without a key',
    gives: found('Row'),
    answer: reading((state, set) => rowOf(state, decoded(set!), [])),
  },
  {
    path: '/v1/sets/{set}/keys/{key}',
    summary: 'The newest row of a key, of the promoted version or of SET@VERSION',
    gives: found('Row'),
    answer: reading((state, set, key) => rowOf(state, decoded(set!), partsOf(key!))),
  },
  {
    path: '/v1/facts/{fact}/{key}',
    summary: 'A fact that stands, by its key',
    gives: found('Fact'),
    answer: reading((state, fact, key) => factOf(state, decoded(fact!), partsOf(key!))),
  },
]
