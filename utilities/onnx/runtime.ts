/**
 * ONNX models by onnxruntime-web: WebAssembly on one thread and without relaxed SIMD, so that every machine computes the same bits. It is
 * an optional peer: whoever has a model installs it.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Model, Numbers, Port } from '../models.ts'
import { Problem } from '../values/problem.ts'

/** What is used of the package, whose own types are not there without it. */
type Onnx = {
  readonly env: { readonly wasm: { numThreads: number; proxy: boolean; simd: boolean | 'fixed' | 'relaxed' }; logLevel: string }
  readonly InferenceSession: { create(bytes: Uint8Array, options: { readonly executionProviders: readonly ['wasm'] }): Promise<Session> }
  readonly Tensor: new (type: 'float32' | 'float64', values: Numbers, lengths: readonly number[]) => unknown
}
type Session = {
  readonly inputMetadata: readonly Described[]
  readonly outputMetadata: readonly Described[]
  run(feeds: Readonly<Record<string, unknown>>, outputs: readonly string[]): Promise<Readonly<Record<string, Computed>>>
}
type Described = {
  readonly name: string
  readonly isTensor: boolean
  readonly type?: string
  readonly shape?: readonly (number | string)[]
}
type Computed = { readonly data: ArrayLike<number | bigint>; readonly dims: readonly number[] }

let loaded: { readonly onnx: Onnx; readonly version: string } | undefined

/** By this version alone: another one may compute other bits. */
export async function openOnnx(bytes: Uint8Array, name: string, runtime: string, places = usualPlaces()): Promise<Model> {
  const { onnx, version } = (loaded ??= load(name, runtime, places))
  if (version !== runtime) {
    throw new Problem(
      `the model ${name} is run by onnxruntime-web ${runtime}, and ${version} is installed`,
      `Another one may compute other bits. Run: npm install onnxruntime-web@${runtime}`,
    )
  }
  const session = await onnx.InferenceSession.create(bytes, { executionProviders: ['wasm'] }).catch((error: unknown) => {
    throw new Problem(`the model ${name} does not load: ${firstLine(error)}`, 'It must be an ONNX file that onnxruntime-web can run.', {
      cause: error,
    })
  })
  /** A session computes one block at a time. */
  let turn: Promise<unknown> = Promise.resolve()
  return {
    inputs: session.inputMetadata.map(portOf),
    outputs: session.outputMetadata.map(portOf),
    run(feeds, output) {
      const given = Object.fromEntries(
        feeds.map(({ port, values, lengths }) => [
          port,
          new onnx.Tensor(values instanceof Float32Array ? 'float32' : 'float64', values, lengths),
        ]),
      )
      const own = turn.then(() => session.run(given, [output]))
      turn = own.catch(() => undefined)
      return own.then(
        (found) => ({ values: found[output]!.data, lengths: found[output]!.dims }),
        (error: unknown) => {
          throw new Problem(`the model ${name} does not run: ${firstLine(error)}`, 'Look at it with the tool that made it.', {
            cause: error,
          })
        },
      )
    },
  }
}

/** Beside the program, or in the folder that it is used in. */
const usualPlaces = (): readonly string[] => [import.meta.url, join(process.cwd(), 'here')]

function load(name: string, runtime: string, places: readonly string[]): NonNullable<typeof loaded> {
  for (const place of places) {
    const require = createRequire(place)
    let at: string
    try {
      at = require.resolve('onnxruntime-web/wasm')
    } catch {
      continue
    }
    const { version } = JSON.parse(readFileSync(join(dirname(at), '..', 'package.json'), 'utf8')) as { readonly version: string }
    const onnx = require('onnxruntime-web/wasm') as Onnx
    onnx.env.wasm.numThreads = 1
    onnx.env.wasm.proxy = false
    onnx.env.wasm.simd = 'fixed'
    onnx.env.logLevel = 'error'
    return { onnx, version }
  }
  throw new Problem(`the model ${name} needs onnxruntime-web, which is not installed`, `Run: npm install onnxruntime-web@${runtime}`)
}

/** Lengths that may be any have a name, or are the largest number of 32 bits. */
const portOf = ({ name, isTensor, type = '', shape = [] }: Described): Port =>
  isTensor
    ? { name, tensor: { type, lengths: shape.map((length) => (typeof length === 'number' && length < 0x8000_0000 ? length : null)) } }
    : { name }

const firstLine = (error: unknown): string => String((error as Error)?.message ?? error).split('\n')[0]!
