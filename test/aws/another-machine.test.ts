/** Where every part is elsewhere, a machine with nothing of its own sees what another has done, and its doctor finds all well. */
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { done, freshFolder, json, tidemark, type Printed } from '../cli-run.ts'
import { generated, limitMs } from '../loan-folders.ts'
import { unlessMissing } from '../unless-missing.ts'
import { embeddedRows, missingForCloud, redshiftRows, startCloud, type Cloud } from './cloud.ts'

const config = '--config config.json'

unlessMissing(missingForCloud(), () =>
  describe('another machine', () => {
    let cloud: Cloud
    beforeAll(async () => {
      cloud = await startCloud()
    }, 600_000)
    afterAll(() => cloud?.stop())

    it(
      'needs no folder to look, to query and to go on',
      async () => {
        const { folder } = cloud.folder()
        const file = await generated(2000)
        await done(folder, `apply loan_risk@0 ${config} --yes`)
        await done(folder, `produce --years 2007-2008 --file ${file} ${config}`)

        const other = freshFolder()
        cpSync(join(folder, 'config.json'), join(other, 'config.json'))
        expect(await done(other, `schemas ${config}`)).toContain('loan_risk')
        await done(other, `up --until-caught-up ${config}`)
        const [{ n }] = await json(other, `query 'SELECT count(*) AS n FROM loan_risk' ${config}`)
        expect(Number(n)).toBeGreaterThan(50)
        expect(await done(folder, `versions ${config}`)).toBe(await done(other, `versions ${config}`))

        const third = freshFolder()
        cpSync(join(folder, 'config.json'), join(third, 'config.json'))
        const { checks }: Printed = JSON.parse((await tidemark(third, `doctor --json ${config}`)).out)
        // There is no source here, nor a folder that leases could lie in, and no machine needs them to look.
        expect(checks.filter(({ state }: Printed) => state !== 'ok').map(({ check }: Printed) => check)).toEqual(['source file', 'leases'])
        expect(existsSync(join(other, '.tidemark', 'registry.db'))).toBe(false)
      },
      limitMs,
    )

    it(
      'backfills from a file in S3, through files and COPY, as the embedded profile does from its own, and leaves no file behind',
      async () => {
        const { folder, schema } = cloud.folder()
        const [file, embedded] = [await generated(20_000), freshFolder()]
        const s3 = new S3Client({ region: 'eu-west-1', forcePathStyle: true })
        try {
          await s3.send(new PutObjectCommand({ Bucket: 'staging', Key: `${schema}-source/loans.csv.gz`, Body: readFileSync(file) }))
          const settings = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object
          writeFileSync(
            join(folder, 'config.json'),
            JSON.stringify({ ...settings, source: { file: `s3://staging/${schema}-source/loans.csv.gz` } }),
          )
          await done(folder, `backfill --years 2007-2012 ${config}`)
          await done(embedded, `backfill --years 2007-2012 --file ${file}`)
          expect(embeddedRows(embedded, 'loan_risk')).toHaveLength(20_000)
          expect(await redshiftRows(cloud.api, schema, embedded, 'loan_risk')).toEqual(embeddedRows(embedded, 'loan_risk'))
          expect((await s3.send(new ListObjectsV2Command({ Bucket: 'staging', Prefix: `${schema}/` }))).KeyCount).toBe(0)
          expect(await done(folder, `verify loan_risk@0 ${config}`)).toMatch(/20 000 rows computed again and equal$/)
          expect(await done(folder, `backfill --years 2007-2012 ${config}`)).toMatch(/^nothing new/)
        } finally {
          s3.destroy()
        }
      },
      limitMs,
    )
  }),
)
