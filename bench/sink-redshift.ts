/**
 * `node bench/sink-redshift.ts [--rows N]`: the sink into Redshift by COPY, against emulators of the Data API and of S3 on this machine.
 * It says what the sink and the calls cost; how fast Redshift itself loads, only Redshift can say.
 */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { missingForMoto, startMoto, type TestAws } from '../test/aws/moto.ts'
import { Problem } from '../utilities/values/problem.ts'
import { root, run, type Finished } from './child.ts'
import { dataOf, type Data } from './data.ts'
import { machine, megabytes, table, thousandRows, wholeNumber } from './report.ts'
import { inScratch } from './scratch.ts'

type Calls = Readonly<Record<string, number>>
type Place = { readonly endpoint: string; readonly region: string; readonly workgroup: string; readonly database: string }
type Both = { readonly api: Place; readonly aws: TestAws }
type Measured = { readonly sink: Finished; readonly dataApi: Calls; readonly s3: Calls }

const bucket = 'bench'
const say = (text: string) => process.stderr.write(`${text}\n`)

async function main(rows: number): Promise<void> {
  const missing = missingForMoto()
  if (missing !== undefined) throw new Problem(`the emulators of AWS cannot run: ${missing}`, 'Install it, or leave this benchmark out.')
  const data = await dataOf(rows)
  const { sink, dataApi, s3 } = await withAws((both) => measure(data, both))
  const perMillion = (calls: Calls) => wholeNumber(Math.round((sum(calls) / rows) * 1e6))
  const named = (calls: Calls) =>
    Object.entries(calls)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')
  process.stdout.write(
    `\nThe sink into emulated Redshift, ${wholeNumber(rows)} rows, one run. Measured ${machine({ Node: process.versions.node })}.\n\n`,
  )
  process.stdout.write(
    `${table(
      ['thousand rows/s', 'Data API calls a million rows', 'S3 calls a million rows', 'CPU s a million rows', 'peak MB'],
      [
        [
          thousandRows(rows, [sink.seconds]),
          perMillion(dataApi),
          perMillion(s3),
          ((sink.cpuSeconds / rows) * 1e6).toFixed(2),
          megabytes([sink.peakBytes]),
        ],
      ],
    )}\n\n${named(dataApi)}; ${named(s3)}\n`,
  )
}

const sum = (calls: Calls) => Object.values(calls).reduce((all, one) => all + one, 0)

/** Both are processes of their own, so that what they take is not counted as the sink's. */
async function withAws<T>(work: (both: Both) => Promise<T>): Promise<T> {
  const aws = await startMoto()
  Object.assign(process.env, aws.env)
  const server = spawn(process.execPath, [join(root, 'test/aws/data-api-main.ts')], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
  try {
    const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string]
    const api = JSON.parse(line) as Place
    process.env['AWS_ENDPOINT_URL_REDSHIFT_DATA'] = api.endpoint
    const s3 = new S3Client({ region: api.region, forcePathStyle: true })
    await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: api.region as 'eu-west-1' } }))
    return await work({ api, aws })
  } finally {
    server.stdin.end()
    await once(server, 'exit')
    await aws.stop()
  }
}

const measure = (data: Data, { api, aws }: Both): Promise<Measured> =>
  inScratch(async ({ dir, configFile, config }) => {
    const { endpoint, ...place } = api
    const staging = { bucket, prefix: 'sink', roleArn: 'arn:aws:iam::123456789012:role/copy' }
    const { dataDir, features } = config
    writeFileSync(configFile, JSON.stringify({ dataDir, features, warehouse: { kind: 'redshift', ...place, schema: 'public', staging } }))
    const command = (words: string) => run('tidemark.js', [...words.split(' '), '--config', configFile, '--json'])

    for (const words of ['apply loan_risk@0 --yes', `produce --years ${data.years} --file ${data.file}`, 'consume --until-caught-up']) {
      say(`${words.split(' ')[0]} …`)
      await command(words)
    }
    const callsOfApi = async () => (await (await fetch(endpoint)).json()) as Calls
    const before = await callsOfApi()
    await aws.faults({})
    say('sink …')
    const sink = await command('sink --until-caught-up')
    const after = await callsOfApi()
    const s3 = Object.fromEntries(Object.entries(await aws.calls()).filter(([name]) => name.startsWith('s3:')))

    const found = await run('tidemark.js', [
      'query',
      'SELECT count(*) AS n, max(_seq) AS last FROM loan_risk',
      '--format',
      'json',
      '--config',
      configFile,
    ])
    const [{ n, last }] = JSON.parse(found.stdout) as [{ n: number; last: number }]
    if (n !== data.rows || last !== data.rows) throw new Error(`the warehouse has ${n} rows up to ${last}, not ${data.rows} (${dir})`)
    const since = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
    return { sink, s3, dataApi: Object.fromEntries(since.filter(([, count]) => count > 0)) }
  })

try {
  const { rows } = parseArgs({ options: { rows: { type: 'string', default: '1000000' } } }).values
  if (!/^[1-9]\d*$/.test(rows)) throw new Problem(`--rows ${rows} is not a whole number`, 'Give e.g. --rows 1000000.', { usage: true })
  await main(Number(rows))
} catch (error) {
  if (!(error instanceof Problem)) throw error
  process.stderr.write(`bench: ${error.what}. ${error.todo}\n`)
  process.exitCode = error.exitCode
}
