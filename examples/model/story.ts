/** The loop of a model: features make its training set, it becomes a feature of the next version, and every new record has its score. */

/** What the model reads, in the order in which it was trained. */
export const inputs = ['ma50', 'ma100', 'risk_score', 'amount_requested'] as const

/** Users import the package. */
const language = `'tidemark'`

/** The definitions file, before there is a model and with it. */
export const definitions = (withModel: boolean): string => `import { ema, featureSet, mean, model, rejectedLoan } from ${language}

export const v0 = featureSet({ name: 'loan_risk', of: rejectedLoan }, { ma50: mean('risk_score', { last: 50, round: 3 }) })

export const v1 = v0.add({ ma100: mean('risk_score', { last: 100, round: 3 }) })

export const v2 = v1.replace({ ma50: ema('risk_score', { span: 50, round: 3 }) })
${withModel ? `\n${nextVersion}\n` : ''}`

export const nextVersion = `export const v3 = v2.add({
  risk: model('risk.onnx', { inputs: [${inputs.map((name) => `'${name}'`).join(', ')}], output: 'probabilities', column: 1 }),
})`

/** From the first record to features for training. */
export const before = (rows: number): readonly string[] => [
  `generate --years 2007-2009 --rows ${rows} --out loans.csv.gz`,
  'apply loan_risk@0 --yes',
  'apply loan_risk@1 --yes',
  'apply loan_risk@2 --yes',
  'backfill --years 2007',
  'produce --years 2008',
  'up --until-caught-up',
]

/**
 * What the features of @2 were, beside what became of each application. The loans of the example have no outcome: this one is made up, and
 * depends on what the model will be given.
 */
export const trainingSet = `select ma50, ma100, risk_score, amount_requested,
    case when coalesce(risk_score, 600) + (_seq * 7919) % 211 - 105 < ma50 - amount_requested / 1000 then 1 else 0 end as lost
  from loan_risk_v2 order by _seq`

/** From a model to its scores. */
export const after: readonly string[] = [
  'plan loan_risk@3 --shadow',
  'apply loan_risk@3 --shadow --yes',
  'diff loan_risk@2 loan_risk@3',
  'promote loan_risk@3 --yes',
  'produce --years 2009',
  'up --until-caught-up',
  'verify loan_risk@3',
]

export const newest = `select _seq, application_date, risk_score, ma50, ma100, risk, _version
  from loan_risk order by _seq desc limit 5`
