/** What the columns of a file most likely hold, guessed from every cell of the rows that were read. */
import type { Field } from '../record.ts'
import type { CsvForm } from './form.ts'
import { csvForm } from './form.ts'
import { dateForms } from './dates.ts'
import { wrongValue } from './fault.ts'

type Kind = Field['kind']

/** Of one column. */
export type Guess = {
  readonly kind: Kind
  /** Of a decimal, with room for three more digits before the point; of a text, with room for twice its longest. */
  readonly digits?: number
  readonly scale?: number
  readonly bytes?: number
  /** The forms in which all its dates or timestamps can be read; '' is ISO 8601. */
  readonly forms: readonly string[]
  readonly values: number
  readonly nulls: number
  /** Words that are null if the kind is right. */
  readonly nullWords: readonly string[]
  /** What makes the guess less than sure. */
  readonly doubts: readonly string[]
}

const nullWords = new Set(['NULL', 'null', 'Null', 'NA', 'N/A', 'n/a', '\\N', 'None', 'NaN', 'nan', '-'])
const flagWords = /^(true|false|t|f|yes|no|y|n)$/i
const wholePattern = /^[+-]?\d+$/
const decimalPattern = /^[+-]?\d+\.\d+$/
/** A code such as 00501 is no number: its zeros would be lost. */
const codePattern = /^[+-]?0\d/
const dayKinds = ['date', 'timestamp'] as const

const plainForm = csvForm({})

/** Takes the cells of a column, one after the other, and says what they are. */
export function guesser() {
  const ways = { flag: true, whole: true, decimal: true, number: true }
  const forms = {
    date: ['', ...dateForms].map((name) => ({ name, form: csvForm(name === '' ? {} : { dates: name }) })),
    timestamp: ['', ...dateForms.map((name) => `${name} hh:mm:ss`)].map((name) => ({
      name,
      form: csvForm(name === '' ? {} : { timestamps: name }),
    })),
  }
  const words = new Map<string, number>()
  let [values, nulls, longest, before, behind, bits] = [0, 0, 0, 0, 0, 0]

  const narrow = (text: string): void => {
    ways.flag &&= flagWords.test(text)
    const code = codePattern.test(text)
    ways.whole &&= wholePattern.test(text) && !code
    ways.decimal &&= (wholePattern.test(text) || decimalPattern.test(text)) && !code
    ways.number &&= !code && fits({ kind: 'number' }, text, plainForm)
    if (ways.decimal) {
      const [whole = '', fraction = ''] = text.replace(/^[+-]/, '').split('.')
      before = Math.max(before, whole.length)
      behind = Math.max(behind, fraction.length)
      if (ways.whole && whole.length > 15 && !fits({ kind: 'integer' }, text, plainForm)) ways.whole = false
      if (whole.length > 15) bits++
    }
    for (const kind of dayKinds) {
      if (forms[kind].length > 0) forms[kind] = forms[kind].filter(({ form }) => fits({ kind }, text, form))
    }
  }

  return {
    take(text: string | null): void {
      if (text === null || text === '') nulls++
      else if (nullWords.has(text)) words.set(text, (words.get(text) ?? 0) + 1)
      else {
        values++
        longest = Math.max(longest, Buffer.byteLength(text))
        narrow(text)
      }
    },
    guess(): Guess {
      const asNull = [...words.values()].reduce((sum, count) => sum + count, 0)
      const seen = { forms: [], values, nulls: nulls + asNull, nullWords: [...words.keys()] }
      const doubts = [
        ...(values === 0 ? ['no value to go by'] : values < 20 ? [`only ${values} value${values === 1 ? '' : 's'}`] : []),
        ...(words.size > 0 ? [`${[...words.keys()].join(', ')} is taken for null`] : []),
      ]
      const kind = values === 0 ? 'text' : kindOf()
      if (kind === 'date' || kind === 'timestamp') {
        const names = forms[kind].map(({ name }) => name)
        const either = names.length > 1 && names[0] !== '' ? [`it could be ${names.join(' or ')}`] : []
        return { ...seen, kind, forms: names, doubts: [...doubts, ...either] }
      }
      if (kind === 'decimal') return { ...seen, kind, digits: Math.min(38, before + 3 + behind), scale: behind, doubts }
      if (kind === 'integer') return { ...seen, kind, doubts: bits > 0 ? [...doubts, 'some are beyond 2^53'] : doubts }
      if (kind !== 'text') return { ...seen, kind, doubts }
      const bytes = Math.min(65_535, Math.max(16, 2 ** Math.ceil(Math.log2(2 * Math.max(1, longest)))))
      // As a text, what looks like null may be a word.
      return {
        forms: [],
        values: values + asNull,
        nulls,
        nullWords: [],
        kind,
        bytes,
        doubts: doubts.filter((doubt) => !doubt.endsWith('null')),
      }
    },
  }

  function kindOf(): Kind {
    if (ways.flag) return 'flag'
    if (forms.date.length > 0) return 'date'
    if (ways.whole) return 'integer'
    if (ways.decimal && before + behind <= 38) return 'decimal'
    if (ways.number) return 'number'
    return forms.timestamp.length > 0 ? 'timestamp' : 'text'
  }
}

type Plain = { readonly kind: 'number' | 'integer' | 'date' | 'timestamp' }

const fits = ({ kind }: Plain, text: string, form: CsvForm): boolean =>
  wrongValue({ kind, csv: '', nullable: true }, text, form) === undefined
