/** The shapes of requests and answers, as JSON Schema. */

type Schema = Readonly<Record<string, unknown>>

const text = { type: 'string' }
const whole = { type: 'integer' }
const moment = { type: 'string', format: 'date-time' }
const value = { type: ['number', 'string', 'boolean', 'null'] }
const nanoseconds = { type: 'string', pattern: '^-?[0-9]+$', description: 'Since 1970' }
const listOf = (items: Schema) => ({ type: 'array', items })

/** All of its properties are always there. */
const object = (properties: Readonly<Record<string, Schema>>): Schema => ({ type: 'object', properties, required: Object.keys(properties) })

const version = object({
  set: text,
  version: whole,
  promoted: { type: 'boolean' },
  over: text,
  key: listOf(object({ name: text, kind: text })),
  features: listOf(object({ name: text, kind: text, made: { type: 'object' } })),
})

const values = { type: 'object', additionalProperties: value }

export const schemas: Readonly<Record<string, Schema>> = {
  Error: object({ error: object({ what: text, todo: text }) }),
  Health: object({ status: { const: 'ok' } }),
  Ready: object({ status: { const: 'ready' } }),
  NotReady: object({
    error: object({ what: text, todo: text }),
    behind: listOf(object({ topic: text, partition: whole, offsets: whole })),
  }),
  FeaturesRequest: {
    type: 'object',
    additionalProperties: false,
    required: ['features'],
    properties: {
      features: {
        type: 'array',
        minItems: 1,
        items: { type: 'string', pattern: '^[^:@]+(@([vV]?[0-9]{1,9}|latest))?:[^:]+$' },
        description: 'SET:FEATURE of the promoted version, SET@VERSION:FEATURE of that one',
      },
      entities: {
        type: 'object',
        additionalProperties: listOf(value),
        description: 'For each field of the key its values, one for each row',
      },
      full_feature_names: { type: 'boolean', description: 'SET__FEATURE instead of FEATURE in feature_names' },
      include_feature_view_version_metadata: { type: 'boolean', description: 'The versions are always there' },
      feature_service: { type: 'null' },
    },
  },
  Features: object({
    metadata: {
      type: 'object',
      required: ['feature_names', 'feature_view_metadata'],
      properties: {
        feature_names: { ...listOf(text), description: 'The entity columns, then the features as they were asked for' },
        feature_view_metadata: { ...listOf(object({ name: text, version: whole })), description: 'The versions that were read' },
        row_versions: {
          type: 'object',
          additionalProperties: listOf({ type: ['integer', 'null'] }),
          description: 'By set, the version of each row, where the promoted version has not made a row of every key yet',
        },
      },
    },
    results: {
      ...listOf(
        object({
          values: listOf(value),
          statuses: listOf({ enum: ['PRESENT', 'NULL_VALUE', 'NOT_FOUND'] }),
          event_timestamps: listOf(moment),
        }),
      ),
      description: 'One for each of the names',
    },
  }),
  Sets: object({ sets: listOf(object({ name: text, promoted: { type: ['integer', 'null'] }, versions: listOf(version) })) }),
  Set: { anyOf: [object({ name: text, promoted: { type: ['integer', 'null'] }, versions: listOf(version) }), version] },
  Row: object({
    set: text,
    key: values,
    _version: whole,
    _seq: whole,
    _modified_ts: nanoseconds,
    _known_ts: nanoseconds,
    _change: { type: ['string', 'null'] },
    event_timestamp: moment,
    features: values,
  }),
  Fact: object({ fact: text, key: values, _seq: whole, _known_ts: nanoseconds, fields: values }),
  Description: { type: 'object' },
}
