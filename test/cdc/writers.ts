/** Sessions that change the shop's database all at once, by chance: transactions of many kinds, some of which are rolled back. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Session, TestPostgres } from '../aws/postgres.ts'
import { randomFrom } from '../seeded.ts'

/**
 * What the database demands, and what each transaction leaves as it was: whatever a reader sees, the quantities of an invoice's lines are
 * together a multiple of twelve. Whoever sees half a transaction sees something else.
 */
export const dozens = 12
export const rules = [
  'delete from lines where item_id not in (select item_id from skus) or invoice_id not in (select invoice_id from invoices)',
  'delete from invoices where account_id not in (select account_id from accounts)',
  `update lines set quantity = ${dozens}`,
  'alter table invoices add foreign key (account_id) references accounts on update cascade on delete cascade',
  'alter table lines add foreign key (invoice_id) references invoices on delete cascade',
  'alter table lines add foreign key (item_id) references skus on update cascade',
  'create sequence numbers start 1000000',
]

type Chance = () => number
type Ask = (sql: string) => Promise<readonly (readonly (string | null)[])[]>
type Act = (ask: Ask, chance: Chance) => Promise<unknown>

/** Any row of a table, by chance; undefined when there is none. */
async function any(ask: Ask, chance: Chance, key: string, from: string): Promise<string | undefined> {
  const [row] = await ask(`select ${key} from ${from} order by md5(${key}::text || ${chance()}) limit 1`)
  return row?.[0] ?? undefined
}
const quoted = (text: string | undefined) => `'${(text ?? '').replaceAll("'", "''")}'`
const below = (chance: Chance, limit: number) => Math.floor(chance() * limit)

const acts: { readonly [name: string]: Act } = {
  async sell(ask, chance) {
    const account = await any(ask, chance, 'account_id', 'accounts')
    const issued = `current_date - ${below(chance, 120)}`
    const [made] = await ask(
      `insert into invoices select nextval('numbers'), ${quoted(account)}, to_char(${issued}, 'YYYY-MM'), ${issued} returning invoice_id`,
    )
    const quantities = Array.from({ length: below(chance, 4) }, () => 1 + below(chance, 2 * dozens))
    const rest = dozens - (quantities.reduce((sum, one) => sum + one, 0) % dozens)
    const items = await ask(`select item_id from skus order by md5(item_id || ${chance()}) limit ${quantities.length + 1}`)
    for (const [i, [item]] of items.entries()) {
      const quantity = i < items.length - 1 ? quantities[i] : rest
      await ask(`insert into lines (invoice_id, item_id, quantity) values (${made![0]}, ${quoted(item!)}, ${quantity})`)
    }
  },
  async recount(ask, chance) {
    const invoice = await any(ask, chance, 'invoice_id', 'invoices')
    await ask(`select from invoices where invoice_id = ${invoice ?? 0} for update`)
    const lines = await ask(`select item_id from lines where invoice_id = ${invoice ?? 0} order by item_id for update`)
    if (lines.length < 2) return
    const many = 1 + below(chance, 5)
    for (const [which, change] of [[0, many] as const, [lines.length - 1, -many] as const])
      await ask(`update lines set quantity = quantity + ${change} where invoice_id = ${invoice} and item_id = ${quoted(lines[which]![0]!)}`)
  },
  async pay(ask, chance) {
    const invoice = await any(ask, chance, 'invoice_id', 'invoices where date_paid is null')
    await ask(`update invoices set date_paid = date_issued + ${below(chance, 60)} where invoice_id = ${invoice ?? 0}`)
  },
  async bounce(ask, chance) {
    const invoice = await any(ask, chance, 'invoice_id', 'invoices where date_paid is not null')
    await ask(`update invoices set date_paid = null where invoice_id = ${invoice ?? 0}`)
  },
  async reprice(ask, chance) {
    const item = quoted(await any(ask, chance, 'item_id', 'skus'))
    const price = chance() < 0.1 ? 'null' : `${below(chance, 100_000) / 100}`
    await ask(`update skus set item_retail_price = ${price} where item_id = ${item}`)
  },
  async rename(ask, chance) {
    const account = quoted(await any(ask, chance, 'account_id', 'accounts'))
    await ask(`update accounts set company_name = 'Company ${below(chance, 1000)} "é", Ltd', email = null where account_id = ${account}`)
  },
  async move(ask, chance) {
    const account = quoted(await any(ask, chance, 'account_id', 'accounts'))
    await ask(`update accounts set account_id = 'A-' || nextval('numbers') where account_id = ${account}`)
  },
  async relabel(ask, chance) {
    const item = quoted(await any(ask, chance, 'item_id', 'skus'))
    await ask(`update skus set item_id = 'I-' || nextval('numbers'), item_name = 'item ${below(chance, 50)}' where item_id = ${item}`)
  },
  async cancel(ask, chance) {
    await ask(`delete from invoices where invoice_id = ${(await any(ask, chance, 'invoice_id', 'invoices')) ?? 0}`)
  },
  async join(ask) {
    await ask(`insert into accounts values ('A-' || nextval('numbers'), 'A new one', null, null)`)
  },
  async leave(ask, chance) {
    const few = 'accounts where account_id in (select account_id from invoices group by account_id having count(*) < 3)'
    await ask(`delete from accounts where account_id = ${quoted(await any(ask, chance, 'account_id', few))}`)
  },
  async halfTakenBack(ask, chance) {
    await acts['sell']!(ask, chance)
    await ask('savepoint half')
    await acts['cancel']!(ask, chance)
    await ask('rollback to half')
    await acts['pay']!(ask, chance)
  },
}

/** How often each is done: what a shop does all day, and what it does now and then. */
const often = {
  sell: 6,
  recount: 6,
  pay: 4,
  bounce: 1,
  reprice: 2,
  rename: 2,
  move: 1,
  relabel: 1,
  cancel: 4,
  join: 1,
  leave: 1,
  halfTakenBack: 2,
}
const bag = Object.entries(often).flatMap(([name, many]) => Array.from({ length: many }, () => name))

export type Toll = { committed: number; rolledBack: number; refused: number }

/** Writes until it is told to stop; what two sessions cannot both do is refused to one of them. */
export async function writeByChance(postgres: TestPostgres, seed: number, signal: AbortSignal): Promise<Toll> {
  const chance = randomFrom(seed)
  const session = await postgres.session()
  const ask: Ask = async (sql) => {
    const { rows } = await session.run(sql)
    if (chance() < 0.2) await sleep(chance() * 10)
    return rows
  }
  const toll = { committed: 0, rolledBack: 0, refused: 0 }
  while (!signal.aborted) {
    toll[await transaction(session, ask, chance)]++
    await sleep(chance() * 40)
  }
  await session.end()
  return toll
}

async function transaction(session: Session, ask: Ask, chance: Chance): Promise<keyof Toll> {
  await session.run('begin')
  try {
    for (let left = 1 + below(chance, 3); left > 0; left--) await acts[bag[below(chance, bag.length)]!]!(ask, chance)
    const isKept = chance() > 0.12
    await session.run(isKept ? 'commit' : 'rollback')
    return isKept ? 'committed' : 'rolledBack'
  } catch (error) {
    await session.run('rollback')
    if (!refusals.has((error as { readonly code?: string }).code ?? '')) throw error
    return 'refused'
  }
}

/** A deadlock; a key that another session has just taken, or a row that it has just taken away. */
const refusals = new Set(['40P01', '23505', '23503'])
