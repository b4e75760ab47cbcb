/** The body of a request for features, looked at as a whole: one sentence says what is wrong with it. */
import type { Given } from './keys.ts'
import { Refused } from './refused.ts'

export type FeaturesAsked = {
  readonly features: readonly string[]
  readonly entities: Readonly<Record<string, readonly Given[]>>
  /** Rows of the answer. */
  readonly count: number
  readonly fullNames: boolean
}

export type AskLimits = { readonly keys: number; readonly values: number }

/** The last one is what the answer always has, and Feast's clients ask for. */
const flags = ['full_feature_names', 'include_feature_view_version_metadata']
const known = ['features', 'entities', ...flags]

const refuse = (what: string, todo: string): never => {
  throw new Refused(400, what, todo)
}

export function askedIn(text: string, limits: AskLimits): FeaturesAsked {
  const body = parsed(text)
  const { features, entities = {}, feature_service: service = null } = body
  if (service !== null)
    refuse('"feature_service" names features that are not kept here', 'Name the features instead: "features": ["loan_risk:ma50"].')
  if (features === undefined) refuse('the body has no "features"', 'Name some: "features": ["loan_risk:ma50"].')
  if (!Array.isArray(features) || features.length === 0 || !features.every((one) => typeof one === 'string'))
    return refuse('"features" is no list of texts', 'Write "features": ["loan_risk:ma50"].')
  const other = flags.find((name) => body[name] !== undefined && typeof body[name] !== 'boolean')
  if (other !== undefined) refuse(`"${other}" is neither true nor false`, 'Write one of them, or leave it out.')
  if (!isObject(entities)) return refuse('"entities" is no object of lists', 'Write "entities": { "state": ["NM", "CA"] }.')
  const unknown = Object.keys(body).find((name) => !known.includes(name) && name !== 'feature_service')
  if (unknown !== undefined) refuse(`the body has an unknown ${JSON.stringify(unknown)}`, `Known are ${known.slice(0, 3).join(', ')}.`)
  const count = countOf(entities)
  const values = count * features.length
  if (count > limits.keys || values > limits.values)
    throw new Refused(
      413,
      `${count} rows of ${features.length} features are asked for, and at most ${limits.keys} rows or ${limits.values} values are answered`,
      'Ask in several requests, or raise "keys" and "values" under "web": { "limits" } in the config.',
    )
  return { features, entities: entities as FeaturesAsked['entities'], count, fullNames: body['full_feature_names'] === true }
}

function parsed(text: string): Record<string, unknown> {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    return refuse(`the body is not JSON: ${(error as Error).message}`, 'Send an object with "features" and "entities".')
  }
  return isObject(body) ? body : refuse('the body is no object', 'Send an object with "features" and "entities".')
}

/** Without entity columns there is one row: that of sets without a key. */
function countOf(entities: Record<string, unknown>): number {
  let count = -1
  let first = ''
  for (const [name, values] of Object.entries(entities)) {
    if (!Array.isArray(values) || !values.every(isGiven))
      return refuse(`"entities": ${JSON.stringify(name)} is no list of values`, `Write one value for each row: "state": ["NM", "CA"].`)
    if (count !== -1 && values.length !== count)
      refuse(
        `"entities" has ${count} values of ${JSON.stringify(first)} and ${values.length} of ${JSON.stringify(name)}`,
        'Give each column one value for each row.',
      )
    first = count === -1 ? name : first
    count = values.length
  }
  return count === -1 ? 1 : count
}

const isGiven = (value: unknown): value is Given => value === null || typeof value !== 'object'
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
