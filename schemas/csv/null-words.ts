/** Words for null must be nothing else. */
import { Problem } from '../../utilities/values/problem.ts'
import { wrongValue } from './fault.ts'
import type { CsvForm } from './form.ts'
import type { RecordSchema } from '../record.ts'

/** Refuses a word for null that a field of the record would read as a value. */
export function checkNulls({ fields }: RecordSchema, form: CsvForm): void {
  for (const word of form.nulls.map((bytes) => bytes.toString())) {
    for (const [name, field] of Object.entries(fields)) {
      if (field.kind === 'text' || wrongValue(field, word, form) !== undefined) continue
      throw new Problem(
        `${JSON.stringify(word)} is given as a word for null, but ${name} (${field.kind}) can have it as a value`,
        'Take it out of "null", or make the field a text.',
        { usage: true },
      )
    }
  }
}
