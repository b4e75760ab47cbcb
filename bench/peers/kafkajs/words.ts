/** What each kafkajs program is told, and the client and codec it begins with. */
import avsc from 'avsc'
import { Kafka, logLevel } from 'kafkajs'
import { readFileSync } from 'node:fs'

const [brokers, inflow, outflow, name, inSchema, outSchema, ...more] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
  ...string[],
]
export { inflow, outflow, name, more }

export const kafka = new Kafka({ clientId: name, brokers: brokers.split(','), logLevel: logLevel.NOTHING })

export type Loan = { readonly risk_score: number | null }

const typeOf = (file: string) => avsc.Type.forSchema(JSON.parse(readFileSync(file, 'utf8')) as avsc.Schema)
const [loanType, rowType] = [typeOf(inSchema), typeOf(outSchema)]
const frameBytes = 18

export const decode = (message: Buffer): Loan => loanType.decode(message, frameBytes).value as Loan
/** Without a frame. */
export const encode = (row: object): Buffer => rowType.toBuffer(row)
