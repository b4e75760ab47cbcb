/** Where the files of models are found, and what opens them: the store keeps those of its versions, others lie beside their definitions. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { keptModel } from '../streams/kept-models.ts'
import type { Checkpoints } from '../utilities/checkpoints.ts'
import type { Model, ModelFile, Models } from '../utilities/models.ts'
import { Problem } from '../utilities/values/problem.ts'

type Openers = {
  readonly open: (bytes: Uint8Array, name: string, runtime: string) => Promise<Model>
  /** With what the store keeps. */
  readonly checkpoints: Checkpoints | undefined
}

export const checksumOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export function modelsOf({ open, checkpoints }: Openers): Models {
  const opened = new Map<string, Promise<Model>>()
  const read = async (file: ModelFile): Promise<Uint8Array> => {
    const { name, sha256, path } = file
    const bytes = checkpoints && (await keptModel(checkpoints, sha256))
    if (bytes) {
      if (checksumOf(bytes) === sha256) return bytes
      throw new Problem(`the model ${name} that the store keeps is damaged: its checksum is not ${sha256}`, 'Restore the log from a copy.')
    }
    if (path === undefined) throw new Problem(`the model ${name} is not there, and the store keeps none of its checksum`, putBack(file))
    const there = await readFile(path).catch((error: unknown) => {
      throw new Problem(`the model ${name} cannot be read: ${(error as Error).message}`, putBack(file), { cause: error })
    })
    const found = checksumOf(there)
    if (found !== sha256) throw new Problem(`the model ${name} is another file: its checksum is ${found}, and not ${sha256}`, putBack(file))
    return there
  }
  return {
    read,
    open(file) {
      const key = `${file.sha256} ${file.runtime}`
      const one = opened.get(key) ?? read(file).then((bytes) => open(bytes, file.name, file.runtime))
      opened.set(key, one)
      // One that could not be opened is tried again.
      one.catch(() => opened.delete(key))
      return one
    },
  }
}

const putBack = ({ sha256 }: ModelFile) => `Put the file of checksum ${sha256} back; another model is the next version: v.replace({ … }).`
