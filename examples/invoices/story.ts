/** The story of a shop's invoices: the commands in order, and what finance and scientists ask then. */

/** `date` is when the tables were as they are. */
export const story = (folder: string, invoices: number, date: string): readonly string[] => [
  `generate --example invoices --invoices ${invoices} --out ${folder}/shop`,
  'apply account_invoices@0',
  'apply item_sales@0',
  'apply account_months@0',
  'apply shop_totals@0',
  `load --at ${date}`,
  `tick sale_line --at ${date}`,
  'up --until-caught-up',
  `export account_months@0 --out ${folder}/months`,
]

type Question = { readonly asks: string; readonly sql: string }

/** Some invoices are made out in advance: the months go until that of the date. */
export const questionsAt = (date: string): readonly Question[] => [
  {
    asks: 'Which invoices are outstanding, and whom do we write to? The oldest first',
    sql: `
      select invoice_id, date_issued, company_name, contact_name, email, round(sum(amount), 2) as amount
      from sale_line where unpaid
      group by invoice_id, date_issued, company_name, contact_name, email order by date_issued, invoice_id limit 8`,
  },
  {
    asks: 'Who owes how much, and how much of it is overdue? The most first',
    sql: `
      select account_id, business, owing, overdue from account_invoices_latest
      where owing > 0 order by owing desc, account_id limit 8`,
  },
  {
    asks: 'How often does each account buy, for how much, and does it pay in time?',
    sql: `
      select account_id, invoices_30d, invoices_90d, last_ten, middle, high, largest, in_time, late, late_share
      from account_invoices_latest where items > 0 order by invoices_90d desc, account_id limit 8`,
  },
  {
    asks: 'What does it buy?',
    sql: `
      select account_id, items, products from account_invoices_latest
      where items > 0 order by items, account_id limit 8`,
  },
  {
    asks: 'What sells?',
    sql: `
      select item, sold, sold_90d, revenue, buyers from item_sales_latest
      where sold > 0 order by revenue desc limit 8`,
  },
  {
    asks: 'How did the months go for each business?',
    sql: `
      select period, account_id, revenue, invoices from account_months_latest
      where invoices > 0 and period <= '${date.slice(0, 7)}' order by period desc, revenue desc limit 8`,
  },
]
