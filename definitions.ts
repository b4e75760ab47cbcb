/** What a user's own definitions file imports from the package: the language, and the record of the example. */
export * from './feature-defs/language.ts'
export { rejectedLoan } from './examples/loans/rejected-loan.ts'
