/** The loan story that the demo tells: the commands in order, what is shown of the rows afterwards, and what to try next. */

export const set = 'loan_risk'

/** Words as they are typed, and the same as options and arguments. */
type Typed = {
  readonly words: string
  readonly options: { readonly [name: string]: string | boolean }
  readonly args?: readonly string[]
}

const up: Typed = { words: 'up --until-caught-up', options: { untilCaughtUp: true } }
const produce = (years: string): Typed => ({ words: `produce --years ${years}`, options: { years } })

/** From the first batch to the third version. */
export const story = (file: string, rows: number): readonly Typed[] => [
  {
    words: `generate --years 2007-2012 --rows ${rows} --out ${file}`,
    options: { years: '2007-2012', rows: String(rows), out: file },
  },
  { words: `apply ${set}@0`, options: {}, args: [`${set}@0`] },
  { words: 'backfill --years 2007', options: { years: '2007' } },
  { words: 'backfill --years 2007 --features loan_risk_2007', options: { years: '2007', features: 'loan_risk_2007' } },
  produce('2008'),
  up,
  { words: `apply ${set}@1 --cold`, options: { cold: true }, args: [`${set}@1`] },
  produce('2009-2010'),
  up,
  { words: `apply ${set}@2 --forward-only`, options: { forwardOnly: true }, args: [`${set}@2`] },
  produce('2011-2012'),
  up,
]

/** Which version made how many of the rows that SQL users see. */
export const timeline = `
  select '@' || _version as version, count(*) as "rows", min(_seq) as first_record, max(_seq) as last_record,
    min(application_date) as "from", max(application_date) as "to"
  from ${set} group by _version order by _version`

/** Around the last switch the mean changes its meaning under the same name. */
export const sampleAround = (record: number) => `
  select _seq, application_date, risk_score, ma50, ma100, _version from ${set}
  where _seq between ${record - 1} and ${record + 2} order by _seq`

export const tryNext: readonly string[] = [
  `query "select application_date, risk_score, ma50 from ${set}_v0 order by _seq limit 5"`,
  'versions',
  `verify ${set}@2`,
]
