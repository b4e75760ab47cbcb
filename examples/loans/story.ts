/** The loan story that the demo tells: the commands in order, what is shown of the rows afterwards, and what to try next. */

export const set = 'loan_risk'

/** From the first batch to the third version: what is typed. */
export const story = (file: string, rows: number): readonly string[] => [
  `generate --years 2007-2012 --rows ${rows} --out ${file}`,
  `apply ${set}@0`,
  'backfill --years 2007',
  'backfill --years 2007 --features loan_risk_2007',
  'produce --years 2008',
  'up --until-caught-up',
  `apply ${set}@1 --cold`,
  'produce --years 2009-2010',
  'up --until-caught-up',
  `apply ${set}@2 --forward-only`,
  'produce --years 2011-2012',
  'up --until-caught-up',
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
