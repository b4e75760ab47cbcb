/** The second half of `npm run format`: comments that are too long are wrapped, which the formatter does not do. */
import { writeFileSync } from 'node:fs'
import { wrapped } from './long-lines.ts'
import { sourcesIn } from './sources.ts'

for (const { file, text } of sourcesIn()) {
  const better = wrapped(text)
  if (better !== text) writeFileSync(file, better)
}
