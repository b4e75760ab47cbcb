/** Three versions of a set, for measuring what each further live one costs. */
import { ema, featureSet, mean, rejectedLoan } from '../definitions.ts'

export const v0 = featureSet({ name: 'loan_risk', of: rejectedLoan }, { ma50: mean('risk_score', { last: 50, round: 3 }) })
export const v1 = v0.add({ ma100: mean('risk_score', { last: 100, round: 3 }) })
export const v2 = v1.replace({ ma50: ema('risk_score', { span: 50, round: 3 }) })
