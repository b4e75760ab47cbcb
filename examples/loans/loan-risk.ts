/** Every version of the loan risk features, oldest first. A released version is never edited: add the next one. */
import { ema, featureSet, mean } from '../../feature-defs/language.ts'
import { rejectedLoan } from './rejected-loan.ts'

export const v0 = featureSet({ name: 'loan_risk', of: rejectedLoan }, { ma50: mean('risk_score', { last: 50, round: 3 }) })

export const v1 = v0.add({ ma100: mean('risk_score', { last: 100, round: 3 }) })

export const v2 = v1.replace({ ma50: ema('risk_score', { span: 50, round: 3 }) })

/** The 2007 batch of the original system, kept under its own names. */
export const loanRisk2007 = featureSet(
  { name: 'loan_risk_2007', of: rejectedLoan, batchOnly: true },
  { riskscorema50: mean('risk_score', { last: 50, round: 3 }) },
)
