/** What a request for features is answered: values, statuses and times in the order asked, or one sentence that says why not. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { askedIn } from '../web/asked.ts'
import { featuresText } from '../web/features-text.ts'
import { planOf } from '../web/plan.ts'
import { Refused } from '../web/refused.ts'
import { featuresPlain } from './features-plain.ts'
import { served } from './served-sets.ts'

const serving = served()
const limits = { keys: 100, values: 300 }

function textOf(body: string): string {
  const asked = askedIn(body, limits)
  return serving.read((state) => featuresText(state, planOf(state, asked), asked, () => {}))
}

type Answer = ReturnType<typeof featuresPlain>
const answer = (body: object): Answer => JSON.parse(textOf(JSON.stringify(body))) as Answer

/** Each column as its name and its values. */
const columns = ({ metadata, results }: Answer) => results.map(({ values }, i) => [metadata.feature_names[i], ...values])

function refusal(body: string | object): string {
  try {
    textOf(typeof body === 'string' ? body : JSON.stringify(body))
  } catch (error) {
    if (error instanceof Refused) return `${error.status} ${error.what}. ${error.todo}`
    throw error
  }
  return 'answered'
}

const NM = { state: ['NM'] }

describe('an answer', () => {
  it('has the entity columns first, then the features in the order asked, each with its status and time', () =>
    expect(answer({ features: ['by_state:ma100', 'by_state:ma50'], entities: { state: ['NM', 'CA', 'XX'] } })).toEqual({
      metadata: { feature_names: ['state', 'ma100', 'ma50'], feature_view_metadata: [{ name: 'by_state', version: 1 }] },
      results: [
        {
          values: ['NM', 'CA', 'XX'],
          statuses: ['PRESENT', 'PRESENT', 'PRESENT'],
          event_timestamps: Array(3).fill('1970-01-01T00:00:00Z'),
        },
        {
          values: [null, 4, null],
          statuses: ['NULL_VALUE', 'PRESENT', 'NOT_FOUND'],
          event_timestamps: ['2012-01-02T00:00:00Z', '2012-01-02T00:00:00Z', '1970-01-01T00:00:00Z'],
        },
        {
          values: [2.5, 3, null],
          statuses: ['PRESENT', 'PRESENT', 'NOT_FOUND'],
          event_timestamps: ['2012-01-02T00:00:00Z', '2012-01-02T00:00:00Z', '1970-01-01T00:00:00Z'],
        },
      ],
    }))

  it.each([
    ['by_state@0:ma50', 1.5],
    ['by_state@v0:ma50', 1.5],
    ['by_state@V2:ma50', 5.25],
    ['by_state@latest:ma50', 2.5],
  ])('of %s is of that version', (feature, value) =>
    expect(columns(answer({ features: [feature], entities: NM }))).toEqual([
      ['state', 'NM'],
      ['ma50', value],
    ]),
  )

  it('has whole names where that is asked for, so that versions stand beside each other', () => {
    const features = ['by_state:ma50', 'by_state@0:ma50', 'in_all:mean_score']
    const { metadata } = answer({ features, entities: NM, full_feature_names: true })
    expect(metadata.feature_names).toEqual(['state', 'by_state__ma50', 'by_state@v0__ma50', 'in_all__mean_score'])
    expect(metadata.feature_view_metadata).toEqual([
      { name: 'by_state', version: 1 },
      { name: 'by_state', version: 0 },
      { name: 'in_all', version: 0 },
    ])
  })

  it('shows a key that the promoted version has no row of as the version before has it, and says so', () => {
    const { metadata, results } = answer({ features: ['by_state:ma50', 'by_state:ma100'], entities: { state: ['OLD', 'NM', 'XX'] } })
    expect(metadata).toMatchObject({ row_versions: { by_state: [0, 1, null] } })
    expect(results.map(({ values, statuses }) => [...values, ...statuses])).toEqual([
      ['OLD', 'NM', 'XX', 'PRESENT', 'PRESENT', 'PRESENT'],
      [9, 2.5, null, 'PRESENT', 'PRESENT', 'NOT_FOUND'],
      [null, null, null, 'NULL_VALUE', 'NULL_VALUE', 'NOT_FOUND'],
    ])
    expect(columns(answer({ features: ['by_state@1:ma50'], entities: { state: ['OLD'] } }))[1]).toEqual(['ma50', null])
  })

  it('of a set without a key is one row, or as many as there are keys of others', () => {
    expect(columns(answer({ features: ['in_all:mean_score'] }))).toEqual([['mean_score', 42]])
    expect(columns(answer({ features: ['in_all:mean_score', 'by_state:ma50'], entities: { state: ['NM', 'CA'] } }))).toEqual([
      ['state', 'NM', 'CA'],
      ['mean_score', 42, 42],
      ['ma50', 2.5, 3],
    ])
  })

  it.each([
    ['by_state', { state: [null] }, 0],
    ['by_both', { account: [7], branch: ['a,b'] }, 0.1],
    ['by_both', { branch: ['a,b'], account: ['7'] }, 0.1],
    ['by_both', { account: [null], branch: ['x'] }, 0.2],
    ['by_both', { account: ['9007199254740993'], branch: ['x'] }, 0.3],
    ['by_day', { day: ['2008-01-01'] }, 1],
    ['by_opened', { opened: ['2012-03-04T05:06:07.500000Z'] }, 1],
    ['by_opened', { opened: ['2012-03-04 06:06:07.5+01:00'] }, 1],
    ['by_rate', { rate: [12.5] }, 1],
    ['by_rate', { rate: ['+012.5000'] }, 1],
    ['by_risky', { risky: [true] }, 1],
    ['by_score', { score: [0.1] }, 1],
    ['by_score', { score: ['1e-1'] }, 1],
  ])('of %s finds the key %j', (set, entities, value) => {
    const [feature] = serving.read(({ sets }) => sets.get(set)!.versions.get(sets.get(set)!.promoted!)!.features)
    expect(answer({ features: [`${set}:${feature!.name}`], entities }).results.at(-1)).toMatchObject({ values: [value] })
  })

  it('is the text of its plain twin, whatever is asked', () => {
    const key = fc.constantFrom('NM', 'CA', 'OLD', '', 'XX', 'toString', '__proto__')
    const names = ['by_state:ma50', 'by_state:note', 'by_state:ma100', 'by_state@0:ma50', 'by_state@2:note', 'in_all:mean_score']
    const features = fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, selector: (one) => one.split(':')[1] })
    fc.assert(
      fc.property(features, fc.array(key, { maxLength: 30 }), (asked, state) => {
        const isKeyed = asked.some((one) => one.startsWith('by_state'))
        const body = { features: asked, entities: isKeyed ? { state } : {} }
        expect(textOf(JSON.stringify(body))).toBe(JSON.stringify(serving.read((one) => featuresPlain(one, body))))
      }),
    )
  })
})

describe('is refused, in one sentence:', () => {
  it.each<readonly [body: string | object, why: string]>([
    ['{', '400 the body is not JSON'],
    ['[]', '400 the body is no object'],
    [{}, '400 the body has no "features"'],
    [{ features: [] }, '400 "features" is no list of texts'],
    [{ features: ['by_state:ma50', 1] }, '400 "features" is no list of texts'],
    [{ features: ['ma50'] }, '400 "ma50" names no feature. Write SET:FEATURE'],
    [{ features: ['by_state@one:ma50'] }, '400 "by_state@one:ma50" names no feature'],
    [{ feature_service: 'risk', entities: NM }, '400 "feature_service" names features that are not kept here. Name the features instead'],
    [{ features: ['by_state:ma50'], entity: NM }, '400 the body has an unknown "entity". Known are features, entities, full_feature_names'],
    [{ features: ['by_state:ma50'], entities: NM, full_feature_names: 1 }, '400 "full_feature_names" is neither true nor false'],
    [{ features: ['by_state:ma50'], entities: [] }, '400 "entities" is no object of lists'],
    [{ features: ['by_state:ma50'], entities: { state: 'NM' } }, '400 "entities": "state" is no list of values'],
    [{ features: ['by_state:ma50'], entities: { state: [['NM']] } }, '400 "entities": "state" is no list of values'],
    [{ features: ['by_state:ma50'], entities: {} }, '400 the key of by_state is state, and "entities" has no state'],
    [
      { features: ['by_both:worst'], entities: { account: [1] } },
      '400 the key of by_both is account, branch, and "entities" has no branch',
    ],
    [{ features: ['by_both:worst'], entities: { account: [1], branch: [] } }, '400 "entities" has 1 values of "account" and 0 of "branch"'],
    [
      { features: ['by_state:ma50'], entities: { ...NM, zip: [1] } },
      '400 "entities" has zip, which is no key of the sets that are asked for',
    ],
    [{ features: ['in_all:mean_score'], entities: NM }, '400 "entities" has state, which is no key'],
    [{ features: ['by_state:ma50'], entities: { state: [7] } }, '400 7 is no value of state. It is a text'],
    [{ features: ['by_state:ma50'], entities: { state: ['\ud800'] } }, '400 "\\ud800" is no value of state'],
    [{ features: ['by_both:worst'], entities: { account: [2 ** 53], branch: [''] } }, '400 9007199254740992 is no value of account'],
    [{ features: ['by_day:one'], entities: { day: ['2011-02-29'] } }, '400 "2011-02-29" is no value of day. It is a date'],
    [{ features: ['by_opened:one'], entities: { opened: ['2011-02-28T24:00Z'] } }, '400 "2011-02-28T24:00Z" is no value of opened'],
    [{ features: ['by_rate:one'], entities: { rate: [0.001] } }, '400 0.001 is no value of rate. It is a decimal'],
    [{ features: ['by_risky:one'], entities: { risky: ['yes'] } }, '400 "yes" is no value of risky. It is true or false'],
    [{ features: ['by_score:one'], entities: { score: ['NaN'] } }, '400 "NaN" is no value of score. It is a number'],
    [{ features: ['by_state:ma50', 'by_state@0:ma50'], entities: NM }, '400 two columns of the answer would be called ma50'],
    [{ features: ['nope:ma50'], entities: NM }, '404 there is no feature set nope. There are by_state, in_all'],
    [{ features: ['by_state@7:ma50'], entities: NM }, '404 there is no by_state@7. There are these: by_state@0, by_state@1, by_state@2'],
    [{ features: ['by_state:ma7'], entities: NM }, '404 by_state@1 has no feature ma7. It has ma50, ma100, note'],
    [{ features: ['by_state@0:note'], entities: NM }, '404 by_state@0 has no feature note. It has ma50'],
    [
      { features: ['shadow:ma1'], entities: NM },
      '404 no version of shadow is promoted. Promote one, or name one of those there are: shadow@0',
    ],
    [{ features: ['by_state:ma50'], entities: { state: Array(101).fill('NM') } }, '413 101 rows of 1 features are asked for'],
  ])('%j', (body, why) => expect(refusal(body)).toContain(why))

  it('whatever the body is, or answered', () => {
    const name = fc.constantFrom('features', 'entities', 'full_feature_names', 'feature_service', 'by_state:ma50', 'state', 'NM')
    const value = fc.letrec((tie) => ({
      any: fc.oneof(name, fc.jsonValue(), fc.array(tie('any')), fc.dictionary(name, tie('any'))),
    })).any
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          value.map((one) => JSON.stringify(one)),
        ),
        (body) => void refusal(body),
      ),
    )
  })
})
