/** One rejected loan application, as the loan CSV has it and as it enters `inflow`. */
import { date, number, record, text } from '../../schemas/record.ts'

export const rejectedLoan = record('rejected_loan', 'application_date', {
  amount_requested: number('Amount Requested', { nullable: false }),
  application_date: date('Application Date', { nullable: false }),
  loan_title: text('Loan Title', { bytes: 1024 }),
  risk_score: number('Risk_Score'),
  debt_to_income_ratio: text('Debt-To-Income Ratio', { bytes: 64 }),
  zip_code: text('Zip Code', { bytes: 16 }),
  state: text('State', { bytes: 16 }),
  employment_length: text('Employment Length', { bytes: 32 }),
  policy_code: number('Policy Code'),
})
