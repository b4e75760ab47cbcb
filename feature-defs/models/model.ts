/** A model as a feature: an ONNX file run on features and fields of the same row. It has no state and no window. */
import type { OperatorSpec } from '../define-operator.ts'

/** As a definition says it, and as a schema carries it. */
export type ModelSpec = OperatorSpec & {
  readonly op: 'model'
  /** The file, by its path from the definitions. */
  readonly of: string
  /** Features and fields, in the model's order where it takes them all as one. */
  readonly inputs: readonly string[]
  /** The name of what it gives, and which number of each row that is, where there are several. */
  readonly output: string
  readonly column?: number
  readonly round?: number
  /** Of the file's bytes, and by which onnxruntime-web they are run: known once definitions are loaded. */
  readonly sha256?: string
  readonly runtime?: string
}

export type SealedModel = ModelSpec & { readonly sha256: string; readonly runtime: string }

type ModelOptions<Input extends string> = Pick<ModelSpec, 'output' | 'column' | 'round' | 'sha256' | 'runtime'> & {
  readonly inputs: readonly Input[]
}

/** What it needs is for the compiler alone: nothing is there when the program runs. */
export type ModelFeature<Input extends string = string> = {
  readonly spec: ModelSpec
  readonly reads?: Input
}

/** By which version models are run of which definitions do not say it. */
export const modelRuntime = '1.30.0'

export const modelOptions = ['inputs', 'output', 'column', 'round', 'sha256', 'runtime'] as const

export const isModel = (spec: OperatorSpec): spec is ModelSpec => spec.op === 'model'

export const isSealed = (spec: ModelSpec): spec is SealedModel => spec.sha256 !== undefined && spec.runtime !== undefined

/** `model('late.onnx', { inputs: ['ma50', 'amount'], output: 'probabilities', column: 1 })`. */
export const model = <const Input extends string>(file: string, options: ModelOptions<Input>): ModelFeature<Input> => ({
  spec: { op: 'model', of: file, ...options },
})
