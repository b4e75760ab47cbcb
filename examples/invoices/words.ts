/** What companies, people and things of the shop are called. */

const families = 'Adler Brandt Castro Dubois Eriksen Fontana Grant Haddad Ito Jansen Kowalski López Müller Nakamura Okafor Petrov'.split(
  ' ',
)
const trades = 'Bakery|Dental Care|& Sons|Logistics|Café|Architects|Print, Copy & More|Garage|"Green" Gardens|Clinic|Legal|School'.split(
  '|',
)
const givenNames = 'Amara Björn Chloé Daniel Elif Femi Greta Hiroshi Inés Jonas Kavya Liam'.split(' ')
const materials = 'oak steel glass pine bamboo copper cotton marble'.split(' ')
const things = 'desk|chair|lamp|shelf|2 m cable|stool|cabinet|tray|clock|hook|bench|crème jug|frame|board|basket|mirror'.split('|')

/** By a number from 0 to below 1. */
const oneOf = (words: readonly string[], chance: number): string => words[Math.floor(chance * words.length)]!

export const companyName = (chance: number, trade: number): string => `${oneOf(families, chance)} ${oneOf(trades, trade)}`

export const personName = (chance: number, family: number): string => `${oneOf(givenNames, chance)} ${oneOf(families, family)}`

/** Letters that every mail server takes. */
export const addressOf = (person: string, account: string): string =>
  `${person
    .normalize('NFD')
    .replace(/[^A-Za-z ]/g, '')
    .replace(' ', '.')
    .toLowerCase()}@${account.toLowerCase()}.example`

/** Each number's own. */
export function itemName(item: number): string {
  const size = Math.floor(item / (materials.length * things.length))
  const [material, thing] = [materials[item % materials.length]!, things[Math.floor(item / materials.length) % things.length]!]
  return `${material} ${thing}${size === 0 ? '' : ` no. ${size + 1}`}`
}
