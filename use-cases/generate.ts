/** `generate`: a look-alike of the loan file, in a folder that is made if need be. */
import { dirname } from 'node:path'
import { generateTo, type GenerateOptions } from '../examples/loans/generate.ts'
import { makeDirectory } from '../utilities/running/make-directory.ts'

type Watch = { readonly signal: AbortSignal; readonly report: (news: { readonly rows: number }) => void }

export async function generateFile(file: string, options: GenerateOptions, { signal, report }: Watch) {
  let before = 0
  const onProgress = (written: number) => {
    report({ rows: written - before })
    before = written
  }
  makeDirectory(dirname(file))
  const { rows } = await generateTo(file, options, { signal, onProgress })
  return { file, rows, seed: options.seed }
}
