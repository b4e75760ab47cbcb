/** The three features that the peers are measured with, for each zip code by itself. */
import { ema, featureSet, mean, rejectedLoan } from '../../definitions.ts'

export const v0 = featureSet(
  { name: 'loan_risk', of: rejectedLoan, per: 'zip_code' },
  {
    ma50: mean('risk_score', { last: 50, round: 3 }),
    ma100: mean('risk_score', { last: 100, round: 3 }),
    ema50: ema('risk_score', { span: 50, round: 3 }),
  },
)
