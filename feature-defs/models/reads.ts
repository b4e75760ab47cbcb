/** What the compiler sees of a model: it reads features of its version, and fields of its record, that are numbers. */
import type { Field } from '../../schemas/record.ts'
import type { Gives } from '../gives.ts'
import type { ModelFeature } from './model.ts'

type Fields = { readonly [name: string]: Field }
type Numeric = 'number' | 'integer' | 'decimal' | 'flag'

type NumberFields<Own extends Fields> = { [K in keyof Own]: Own[K]['kind'] extends Numeric ? K : never }[keyof Own]
type NumberFeatures<All, Own extends Fields> = { [K in keyof All]: KindOf<All[K], Own> extends Numeric ? K : never }[keyof All]

/** Of what the feature is, by its operator and its field. */
type KindOf<F, Own extends Fields> = F extends ModelFeature
  ? 'number'
  : F extends { readonly of?: infer Of extends string; readonly gives?: infer G extends Gives }
    ? G[Own[Of]['kind']] extends { readonly kind: infer Kind }
      ? Kind
      : never
    : never

/** Names it could read stand in the message of the compiler where it names another one. */
export type ModelsRead<M, All, Own extends Fields> = {
  readonly [K in keyof M]: M[K] extends ModelFeature
    ? { readonly reads?: NumberFields<Own> | Exclude<NumberFeatures<All, Own>, K> }
    : unknown
}
