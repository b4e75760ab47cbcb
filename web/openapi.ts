/** The description of the API as OpenAPI has it: made of the routes, and of the one for features, which is described here. */
import { patience } from './limits.ts'
import { featuresPath } from './features-route.ts'
import type { Route } from './routes.ts'
import { schemas } from './openapi-schemas.ts'

type Operation = Readonly<Record<string, unknown>>

const said: Readonly<Record<number, string>> = {
  200: 'What was asked for',
  400: 'It cannot be read as a request; the error says why',
  401: 'No token, or none that is known',
  404: 'There is no set, version, feature or key of that name',
  408: `The request did not come whole within ${patience.requestTimeout / 1000} seconds`,
  413: 'More than one request may ask for',
  415: 'The body is compressed',
  429: 'More requests a second than one caller may have',
  503: 'Not now; the error says why',
}

const content = (schema: string) =>
  schema === 'text'
    ? { 'application/openmetrics-text': { schema: { type: 'string' } } }
    : { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } }

const responses = (gives: Readonly<Record<number, string>>): Operation =>
  Object.fromEntries(
    Object.entries(gives).map(([status, schema]) => [status, { description: said[Number(status)]!, content: content(schema) }]),
  )

const refusals = { 401: 'Error', 429: 'Error' }

const featuresOperation: Operation = {
  operationId: 'getOnlineFeatures',
  summary: "The newest features of keys, in Feast's protocol",
  requestBody: { required: true, content: { 'application/json': { schema: { $ref: '#/components/schemas/FeaturesRequest' } } } },
  responses: responses({ 200: 'Features', 400: 'Error', 404: 'Error', 413: 'Error', 415: 'Error', 503: 'Error', ...refusals }),
}

export const openApi = (routes: readonly Route[]): Operation => ({
  openapi: '3.1.0',
  info: {
    title: 'Tidemark',
    version: '1',
    description: 'The newest features of each key, every value with the version that made it, and the facts that stand.',
  },
  security: [{ bearer: [] }, {}],
  paths: {
    [featuresPath]: { post: featuresOperation },
    ...Object.fromEntries(routes.map((route) => [route.path, { get: operationOf(route) }])),
  },
  components: { schemas, securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
})

const operationOf = ({ path, summary, gives, isOpen }: Route): Operation => ({
  operationId: `get${path.replace(/[^a-zA-Z]+(.?)/g, (_, next: string) => next.toUpperCase())}`,
  summary,
  ...(isOpen && { security: [] }),
  parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    description: parameterTexts[name!],
    schema: { type: 'string', ...(name !== 'key' && { minLength: 1 }) },
  })),
  responses: responses(isOpen ? gives : { ...gives, ...refusals }),
})

const parameterTexts: Readonly<Record<string, string>> = {
  set: 'SET or SET@VERSION',
  fact: 'The fact, by the name that it has in the warehouse',
  key: 'The key; of several fields, with commas between them, and %2C for a comma within one',
}
