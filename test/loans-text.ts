/** Loan files of a few rows, as text. */
const header = 'Amount Requested,Application Date,Loan Title,Risk_Score,Debt-To-Income Ratio,Zip Code,State,Employment Length,Policy Code'

/** A row of each year, in this order, or the line as it stands. */
export const loansText = (rows: readonly (number | string)[]): string =>
  [
    header,
    ...rows.map((row, i) => (typeof row === 'string' ? row : `1000,${row}-06-01,car,${600 + (i % 97)},10%,481xx,NM,4 years,0`)),
    '',
  ].join('\n')

/** The same, of people in these states in turn. */
export const loansOfStates = (years: readonly number[], states: readonly string[]): string =>
  loansText(years.map((year, i) => `1000,${year}-06-01,car,${600 + (i % 97)},10%,481xx,${states[i % states.length]},4 years,0`))
