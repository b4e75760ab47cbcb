/** Rows over facts come in the order of `_seq`, since each rests on those before it: files that are ordered otherwise are refused. */
import { Problem } from '../utilities/values/problem.ts'

export function inOrder(
  matters: boolean,
  { set, version }: { readonly set: string; readonly version: number },
): (seqs: Float64Array) => void {
  let latest = -Infinity
  return (seqs) => {
    if (!matters) return
    for (const seq of seqs) {
      if (seq < latest)
        throw new Problem(
          `the rows of ${set}@${version} are not in the order of _seq`,
          'Export them without --partition-by: the order says what was known when.',
        )
      latest = seq
    }
  }
}
