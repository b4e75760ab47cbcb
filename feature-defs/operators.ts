/** The list of operators: a word is known to the language, the schema, the engine and the laws of the tests by its line here. */
export { count } from './operators/count.ts'
export { ema } from './operators/ema.ts'
export { last } from './operators/last.ts'
export { max } from './operators/max.ts'
export { mean } from './operators/mean.ts'
export { min } from './operators/min.ts'
export { stddev } from './operators/stddev.ts'
export { sum } from './operators/sum.ts'
