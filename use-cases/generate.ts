/** `generate`: files of the examples, in folders that are made if need be. */
import { dirname } from 'node:path'
import { generateShop } from '../examples/invoices/generate.ts'
import { dateOf, type ShopOptions } from '../examples/invoices/shop.ts'
import { generateTo, type GenerateOptions } from '../examples/loans/generate.ts'
import { makeDirectory } from '../utilities/running/make-directory.ts'

type Watch = { readonly signal: AbortSignal; readonly report: (news: { readonly rows: number }) => void }

export async function generateFile(file: string, options: GenerateOptions, { signal, report }: Watch) {
  makeDirectory(dirname(file))
  const { rows } = await generateTo(file, options, { signal, onProgress: more(report) })
  return { file, rows, seed: options.seed }
}

export async function generateInvoices(folder: string, options: ShopOptions, { signal, report }: Watch) {
  const rows = await generateShop(folder, options, { signal, onProgress: more(report) })
  return { folder, date: dateOf(options.day), rows, seed: options.seed }
}

/** How many more there are, of how many there are by now. */
function more(report: Watch['report']): (written: number) => void {
  let before = 0
  return (written) => {
    report({ rows: written - before })
    before = written
  }
}
