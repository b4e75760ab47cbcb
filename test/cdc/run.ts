/** Runs PostgreSQL with a small shop, Debezium and Kafka for a person until Ctrl-C: npm run cdc. */
import { makeAfresh } from '../../commands/tell.ts'
import { user } from '../aws/postgres.ts'
import { untilStopped } from '../kafka/until-stopped.ts'
import { captureShop, untilToday } from './shop.ts'
import { missingForStack, startStack, type Stack } from './stack.ts'

const missing = missingForStack()
if (missing !== undefined) {
  console.error(`Change data capture cannot be started: ${missing}. Install it and run this again.`)
  process.exit(1)
}

const folder = '.tidemark-cdc'
makeAfresh(folder)
console.log('Starting PostgreSQL, Kafka, and Kafka Connect with Debezium; the first time takes a minute.')
await untilStopped(startStack, tell)

async function tell(stack: Stack) {
  const { brokers } = stack.kafka
  await captureShop(stack, folder, { invoices: 400, seed: 1, first: [untilToday], config: { ingest: { kafka: { brokers } } } })
  const psql = `psql -h 127.0.0.1 -p ${stack.port} -U ${user} postgres -c`
  console.log(`A shop of 400 invoices lies in PostgreSQL at 127.0.0.1:${stack.port} (user ${user}, database postgres, no password).
Debezium sends what changes there to Kafka at ${brokers[0]}. In ${folder} lie a config file and the definitions for it.

  cd ${folder}
  npx tidemark apply account_invoices@0 --yes
  npx tidemark up

Leave that running. In another terminal, in the same folder, ask who owes the most:

  npx tidemark query "select account_id, business, owing, overdue from account_invoices_latest order by owing desc limit 5"

Then change something, and ask again:

  ${psql} "update invoices set date_paid = current_date where account_id = 'A-0001'"
  ${psql} "update skus set item_retail_price = item_retail_price * 2"
  ${psql} "delete from lines where invoice_id = 1001"
  ${psql} "update accounts set company_name = 'A new name' where account_id = 'A-0002'"

All of it but ${folder} goes when it stops. Press Ctrl-C to stop it.`)
}
