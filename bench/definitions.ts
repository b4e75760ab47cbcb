/** The features that batch and stream are measured with: those that DuckDB has an equal of. */
import { featureSet, mean, rejectedLoan } from '../definitions.ts'

export const v0 = featureSet(
  { name: 'loan_risk', of: rejectedLoan },
  {
    ma50: mean('risk_score', { last: 50, round: 3 }),
    ma100: mean('risk_score', { last: 100, round: 3 }),
  },
)
