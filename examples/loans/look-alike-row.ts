/** A row of the look-alike: what stands in its cells, as often as in the real file, and all that makes real rows hard to read. */

/** From 0 to below 1. */
export type Random = () => number

/** Each value as often as its weight says, so that one draw picks it. */
const weighted = (weights: Readonly<Record<string, number>>): readonly string[] =>
  Object.entries(weights).flatMap(([value, weight]) => Array<string>(weight).fill(value))

const states = weighted({
  CA: 24,
  TX: 17,
  FL: 15,
  NY: 15,
  PA: 9,
  GA: 8,
  OH: 8,
  IL: 8,
  NC: 7,
  NJ: 7,
  MI: 6,
  VA: 6,
  MD: 5,
  AZ: 5,
  TN: 5,
  MA: 5,
  IN: 4,
  AL: 4,
  MO: 4,
  WA: 4,
  SC: 4,
  LA: 4,
  CO: 4,
  KY: 3,
  CT: 3,
  NV: 3,
  WI: 3,
  OK: 3,
  AR: 2,
  MN: 2,
  MS: 2,
  OR: 2,
  KS: 2,
  WV: 1,
  NM: 1,
  UT: 1,
  HI: 1,
  NH: 1,
  RI: 1,
  DE: 1,
  MT: 1,
  AK: 1,
  DC: 1,
  WY: 1,
  SD: 1,
  VT: 1,
  ME: 1,
  ND: 1,
  NE: 1,
  ID: 1,
  IA: 1,
})
const employment = weighted({
  '< 1 year': 60,
  '5 years': 12,
  '10+ years': 6,
  '1 year': 5,
  '2 years': 5,
  '3 years': 4,
  '4 years': 3,
  '6 years': 2,
  '7 years': 2,
  '8 years': 2,
  '9 years': 1,
  '': 3,
})
const slugs = weighted({
  debt_consolidation: 45,
  credit_card: 12,
  other: 16,
  home_improvement: 7,
  car: 5,
  medical: 4,
  major_purchase: 4,
  moving: 3,
  small_business: 4,
  vacation: 2,
  house: 2,
  wedding: 1,
  renewable_energy: 1,
  educational: 1,
})
const freeTitles = [
  'Wedding Covered but No Honeymoon',
  'Consolidating Debt',
  'Want to consolidate my debt',
  'My Credit Card',
  'car',
  'Debt Consolidation',
  'personal loan',
  'Loan',
  'bills',
  'Help',
  'Pay off credit cards',
  'Business Line of Credit',
  'student loan',
  'home improvement',
  'moving expenses',
  'Medical Bills',
  'getting out of debt',
  'New Roof',
  'consolidation loan',
  'Trying to buy a house',
  "Dad's surgery",
  'Kitchen @ last',
  'motorcycle',
  '2 cards + 1 car',
  'Dance studio & café',
  'waksman',
  'mdrigo',
]
const quotedTitles = [
  'Rent, food, gas',
  '"The" wedding',
  'Bills, bills, bills',
  'my 1st "real" loan',
  'Pay off Visa, then MasterCard',
  '19" monitors for the office, two of them',
]
const brokenTitles = ['Debt consolidation\nand a holiday', 'Dear lender,\r\nplease help', 'first line\n\nthird, "last" line']
const unusualTitles = [
  'NULL',
  '0',
  ' Fresh start ',
  'Hochzeit in Köln 💍',
  'nueva cocina ñandú',
  '🚗🚗 car',
  '日本旅行',
  'Crème brûlée stand, 2 seats',
]
const rambling =
  'I would like to pay off my three credit cards, lower my monthly payment and finally start to save for the house that we have ' +
  'wanted for years. '

const quote = (title: string) => (/[",\r\n]/.test(title) ? `"${title.replaceAll('"', '""')}"` : title)

/**
 * Writes rows of a year, of which `age` says how late it is, from 0 to 1: early on titles are free text and scores are mostly there, later
 * titles are slugs and half of the scores are missing.
 */
export function rowWriter(age: number, random: Random): (day: string) => string {
  const below = (limit: number) => Math.floor(random() * limit)
  const pick = (values: readonly string[]) => values[below(values.length)]!
  const slugShare = Math.min(0.995, age * 1.8)
  const scoreMissing = 0.05 + 0.45 * age

  const amount = () => {
    const kind = random()
    if (kind < 0.55) return 1000 * (1 + below(1 + below(40)))
    if (kind < 0.85) return 500 * (1 + below(1 + below(80)))
    if (kind < 0.95) return 100 * (5 + below(396))
    return kind < 0.99 ? 25 * (20 + below(1581)) : 500 + below(39_501)
  }
  const title = () => {
    if (random() < slugShare) return pick(slugs)
    const kind = random()
    if (kind < 0.96) return pick(kind < 0.05 ? slugs : freeTitles)
    if (kind < 0.98) return pick(quotedTitles)
    if (kind < 0.983) return pick(brokenTitles)
    if (kind < 0.989) return pick(unusualTitles)
    return kind < 0.999 ? '' : rambling.repeat(1 + below(7)).trimEnd()
  }
  const score = () => {
    if (random() < scoreMissing) return ''
    const kind = random()
    if (kind < 0.005) return '0.0'
    // Three draws make a hump around 640, with a few scores up to 990 beyond it.
    return kind < 0.99 ? `${Math.round(430 + (random() + random() + random()) * 140)}.0` : `${300 + below(691)}.0`
  }
  const ratio = () => {
    const kind = random()
    if (kind < 0.05) return '0%'
    if (kind < 0.07) return '-1%'
    if (kind < 0.072) return '100000%'
    return kind < 0.2 ? `${below(100)}%` : `${below(kind < 0.97 ? 6_000 : 100_000) / 100}%`
  }
  const policy = () => {
    const kind = random()
    return kind < 0.001 ? '' : kind < 0.01 + 0.02 * age ? '2.0' : '0.0'
  }
  return (day) => {
    const zip = random() < 0.001 ? '' : `${String(below(1000)).padStart(3, '0')}xx`
    const state = random() < 0.002 ? '' : pick(states)
    return `${amount()}.0,${day},${quote(title())},${score()},${ratio()},${zip},${state},${pick(employment)},${policy()}\n`
  }
}
