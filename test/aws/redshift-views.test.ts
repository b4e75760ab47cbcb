/** Views in Redshift: what others may do with them stays, who builds on them is named, and what cannot be is said in one line. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Problem } from '../../utilities/values/problem.ts'
import { foundFrom } from '../../utilities/redshift/catalog.ts'
import { openRedshiftWarehouse } from '../../utilities/redshift/warehouse.ts'
import { columnsFrom, layoutOf, plainRows, versionRecord } from '../contracts/loan-rows.ts'
import { startDataApi, type TestDataApi } from './data-api.ts'
import { noFaults } from './data-api-faults.ts'
import { redshiftStore } from './redshift-stores.ts'

let api: TestDataApi

beforeAll(async () => {
  api = await startDataApi()
  Object.assign(process.env, api.env)
})
afterAll(() => api.stop())
beforeEach(() => void Object.assign(api.faults, noFaults()))

const directly = async (...statements: readonly string[]) => {
  const session = await api.session()
  const answers = []
  for (const text of statements) answers.push((await session.run(text)).rows)
  await session.end()
  return answers
}

async function arranged(latest: 0 | 1 | 2, chain: readonly number[]) {
  const store = redshiftStore(api)
  const { warehouse } = await store.open()
  await warehouse.arrange(layoutOf(latest, chain), [versionRecord(0)])
  return { ...store, warehouse }
}

describe('opening', () => {
  it('makes nothing and asks nothing, and reading makes nothing either', async () => {
    const before = { ...api.calls }
    const { schema, open } = redshiftStore(api)
    const { warehouse } = await open()
    expect(api.calls).toEqual(before)
    expect([
      await warehouse.versions(),
      await warehouse.progress('r'),
      await warehouse.extent('loan', 0),
      await warehouse.dependents('loan'),
      await warehouse.bytes(),
    ]).toEqual([[], undefined, undefined, [], 0])
    expect((await directly(`SELECT nspname FROM pg_namespace WHERE nspname = '${schema}'`))[0]).toEqual([])
    expect((await warehouse.plan(layoutOf(0, []))).statements[0]).toBe(`CREATE SCHEMA "${schema}"`)
  })
})

describe('grants on a view', () => {
  it('are given again when it has to be dropped, and are in the plan', async () => {
    const { warehouse, schema } = await arranged(1, [0])
    await directly(
      'CREATE ROLE "an""alyst \\ x"',
      'CREATE ROLE reader LOGIN',
      `GRANT SELECT ON ${schema}.loan TO reader WITH GRANT OPTION`,
      `GRANT SELECT, UPDATE ON ${schema}.loan TO "an""alyst \\ x"`,
      `GRANT SELECT ON ${schema}.loan TO PUBLIC`,
    )
    const rights =
      'SELECT privilege_type, identity_type, identity_name, admin_option FROM svv_relation_privileges WHERE namespace_name = ' +
      `'${schema}' AND relation_name = 'loan' AND identity_name <> 'tidemark' ORDER BY 1, 2, 3`
    const [before] = await directly(rights)
    const { statements: plan } = await warehouse.plan(layoutOf(1, [1, 0]))
    expect(
      plan.map((text) =>
        text
          .split('\n')[0]!
          .replace(/tidemark [0-9a-f]{64}/, '…')
          .replaceAll(`"${schema}".`, ''),
      ),
    ).toEqual([
      'DROP VIEW "loan"',
      'DROP VIEW "loan_latest"',
      'CREATE VIEW "loan" AS',
      `COMMENT ON VIEW "loan" IS '…'`,
      'GRANT SELECT ON "loan" TO PUBLIC',
      'GRANT SELECT ON "loan" TO ROLE "an""alyst \\ x"',
      'GRANT UPDATE ON "loan" TO ROLE "an""alyst \\ x"',
      'GRANT SELECT ON "loan" TO "reader" WITH GRANT OPTION',
      'CREATE VIEW "loan_latest" AS',
      `COMMENT ON VIEW "loan_latest" IS '…'`,
    ])
    await warehouse.arrange(layoutOf(1, [1, 0]), [])
    const [after] = await directly(rights)
    expect(after).toEqual(before)
    expect(after).toHaveLength(4)
  })

  it('stay, as do the views built on it, where it keeps its columns and is replaced', async () => {
    const { warehouse, schema } = await arranged(1, [1])
    await directly(`CREATE VIEW ${schema}.vips AS SELECT * FROM ${schema}.loan`, `GRANT SELECT ON ${schema}.loan TO PUBLIC`)
    expect(await warehouse.dependents('loan')).toEqual([{ view: 'vips', uses: ['loan'] }])
    const { statements: plan } = await warehouse.plan(layoutOf(1, [1, 0]))
    expect(plan.map((text) => text.split(' "')[0])).toEqual([
      'CREATE OR REPLACE VIEW',
      'COMMENT ON VIEW',
      'CREATE OR REPLACE VIEW',
      'COMMENT ON VIEW',
    ])
    await warehouse.arrange(layoutOf(1, [1, 0]), [])
    expect((await warehouse.plan(layoutOf(1, [1, 0]))).statements).toEqual([])
    expect(
      (
        await directly(
          `SELECT count(*) FROM svv_relation_privileges WHERE namespace_name = '${schema}' AND identity_type = 'public'`,
          `SELECT count(*) FROM ${schema}.vips`,
        )
      )[0],
    ).toEqual([['1']])
  })
})

describe('grants that this user may not see', () => {
  it('are noticed by their number', () => {
    const target = { dialect: 'redshift', schema: 'features' } as const
    const veiled = (rights: string | null, seen: readonly (readonly string[])[]) =>
      foundFrom(target, layoutOf(0, [0]), [
        [],
        [['loan', null, 'ada', rights]],
        seen.map(([kind, name]) => ['loan', 'SELECT', kind!, name!, 'false']),
        [],
      ]).veiled
    const bob = ['user', 'bob'] as const
    expect(veiled(null, [])).toEqual([])
    expect(veiled('ada=arwd/ada\nbob=r/ada', [bob])).toEqual([])
    expect(veiled('ada=arwd/ada\nbob=r/ada\ngroup readers=r/ada\n=r/ada', [bob, ['group', 'readers'], ['public', 'public']])).toEqual([])
    expect(veiled('ada=arwd/ada\nbob=r/ada\n"IAM:eve"=r/ada', [['user', 'ada'], bob])).toEqual(['loan'])
  })
})

describe('views built on ours', () => {
  it('are named wherever they are, and are in the way of a view whose columns change', async () => {
    const { warehouse, schema } = await arranged(1, [0])
    await directly(
      `CREATE SCHEMA ${schema}_other`,
      `CREATE VIEW ${schema}_other.copies AS SELECT a._seq FROM ${schema}.loan a JOIN ${schema}.loan_v0 b USING (_seq)`,
      `CREATE VIEW ${schema}.raw AS SELECT * FROM ${schema}.loan_rows`,
      `CREATE VIEW ${schema}.loan_vips AS SELECT * FROM ${schema}.loan_rows`,
      `CREATE VIEW ${schema}.of_vips AS SELECT * FROM ${schema}.loan_vips`,
    )
    expect(await warehouse.dependents('loan')).toEqual([{ view: `${schema}_other.copies`, uses: ['loan', 'loan_v0'] }])
    const before = await warehouse.versions()
    await expect(warehouse.arrange(layoutOf(1, [1, 0]), [versionRecord(1)])).rejects.toThrow(/depend on it.*Drop the views that use it/)
    expect(await warehouse.versions()).toEqual(before)
  })

  it('of a name that is ours are put right when somebody made them anew by hand', async () => {
    const { warehouse, schema } = await arranged(0, [0])
    await directly(`DROP VIEW ${schema}.loan`, `CREATE VIEW ${schema}.loan AS SELECT 1 AS one`)
    expect((await warehouse.plan(layoutOf(0, [0]))).statements.map((text) => text.split(' "')[0])).toEqual([
      'DROP VIEW',
      'CREATE VIEW',
      'COMMENT ON VIEW',
    ])
    await warehouse.arrange(layoutOf(0, [0]), [])
    expect((await warehouse.plan(layoutOf(0, [0]))).statements).toEqual([])
  })
})

describe('new columns', () => {
  it('come one a statement, and before all else when there are too many for one transaction', async () => {
    const { warehouse } = await arranged(0, [0])
    const many = Array.from({ length: 50 }, (_, i) => `f${i}`)
    const layout = {
      ...layoutOf(0, []),
      features: ['ma50', ...many].map((name) => ({ name, type: 'double' as const })),
      versions: [
        { version: 0, shows: [...layoutOf(0, []).record.map(({ name }) => name), 'ma50'] },
        { version: 1, shows: [...layoutOf(0, []).record.map(({ name }) => name), 'ma50', ...many] },
      ],
      chain: [1, 0],
    }
    const { statements: plan } = await warehouse.plan(layout)
    expect(plan.filter((text) => /^ALTER TABLE \S+ ADD COLUMN "f\d+" DOUBLE PRECISION$/.test(text))).toHaveLength(50)
    await warehouse.arrange(layout, [versionRecord(1)])
    expect((await warehouse.plan(layout)).statements).toEqual([])
    expect((await warehouse.query('SELECT * FROM loan')).columns).toContain('f49')
    expect((await warehouse.versions()).map(({ version }) => version)).toEqual([0, 1])
  })
})

describe('many versions', () => {
  it('get their views from nothing, though these are too many for one transaction', async () => {
    const { warehouse } = await redshiftStore(api).open()
    const layout = layoutOf(0, [])
    const shows = layout.versions[0]!.shows
    const many = { ...layout, versions: Array.from({ length: 14 }, (_, version) => ({ version, shows })), chain: [13, 12, 0] }
    expect((await warehouse.plan(many)).statements.length).toBeGreaterThan(60)
    await warehouse.arrange(many, [versionRecord(13)])
    expect((await warehouse.plan(many)).statements).toEqual([])
    for (const view of ['loan_v0', 'loan_v13_latest', 'loan', 'loan_latest'])
      expect((await warehouse.query(`SELECT * FROM ${view}`)).rows).toEqual([])
    expect((await warehouse.plan({ ...many, chain: [12, 0] })).statements).toHaveLength(4)
    await warehouse.arrange({ ...many, chain: [12, 0] }, [])
  })
})

describe('how much it takes', () => {
  it('is told in bytes, and estimated where the sizes may not be looked at', async () => {
    const { warehouse } = await arranged(0, [0])
    await warehouse.write('loan', columnsFrom(plainRows(0, 1, 3000)))
    const told = await warehouse.bytes()
    expect(told).toBeGreaterThan(3000 * 50)
    expect(told).toBeLessThan(3000 * 5000)
    api.faults.failures = { count: 1, text: 'permission denied for relation svv_table_info' }
    expect(await warehouse.bytes()).toBe(3000 * 8 * 8)
  })
})

describe('what waiting cannot mend', () => {
  const problemOf = async (more: object, before: () => void = () => {}) => {
    const { open } = redshiftStore(api)
    const { warehouse } = await open(more)
    before()
    const error = await warehouse.versions().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(Problem)
    expect((error as Problem).message).not.toMatch(/\n|test-secret/)
    await warehouse.close()
    return (error as Problem).message
  }

  it('is said in one line, with what to do', async () => {
    const as = (credentials: typeof api.faults.credentials) => () => void (api.faults.credentials = credentials)
    expect(await problemOf({}, as('expired'))).toBe(
      'the AWS credentials have expired. Renew them (for a profile: aws sso login) and run this again.',
    )
    expect(await problemOf({}, as('denied'))).toMatch(
      /^AWS does not let these credentials do that with Redshift \(workgroup tidemark\) \(.*redshift-data:BatchExecuteStatement.*\)\. Give them the policy/,
    )
    expect(await problemOf({}, as('unknown'))).toMatch(/^AWS does not accept these credentials\. Check AWS_PROFILE/)
    as('good')()
    expect(await problemOf({ workgroup: 'nowhere' })).toMatch(
      /^Redshift \(workgroup nowhere\) does not exist in eu-west-1\. Check the workgroup/,
    )
    expect(await problemOf({ region: 'us-east-1' })).toMatch(
      /^Redshift \(workgroup tidemark\) does not exist in us-east-1\. Check the workgroup or cluster and the region/,
    )
    expect(await problemOf({ database: 'nothing' })).toBe(
      'there is no database nothing. Check the database under the warehouse in the config file.',
    )
    expect(await problemOf({}, () => void (api.faults.failures = { count: 2, text: 'permission denied for schema features' }))).toMatch(
      /^Redshift does not let this user do that/,
    )
  })

  it('includes a server that never answered, after a short while', async () => {
    process.env['AWS_ENDPOINT_URL_REDSHIFT_DATA'] = 'http://127.0.0.1:1'
    try {
      expect(await problemOf({})).toMatch(/^Redshift \(workgroup tidemark\) does not answer in eu-west-1 \(.*ECONNREFUSED/)
    } finally {
      Object.assign(process.env, api.env)
    }
  })

  it('includes options that fit nothing', async () => {
    const open = (more: object) =>
      openRedshiftWarehouse({ region: 'eu-west-1', database: 'dev', schema: 'features', workgroup: 'w', ...more }, () => {})
    await expect(open({ cluster: 'c' })).rejects.toThrow('in no workgroup and no cluster, or in both')
    await expect(open({ schema: 'a"b' })).rejects.toThrow(Problem)
    for (const staging of [{ bucket: 's3://a' }, { prefix: "a'b" }, { roleArn: "x'; DROP TABLE y" }]) {
      await expect(open({ staging: { bucket: 'bucket', prefix: '', roleArn: 'default', ...staging } })).rejects.toThrow(
        "the warehouse's staging",
      )
    }
  })
})
