/**
 * `npm run bench:training [-- --rows N --labels N --keys N --runs N --feast]`: processor time and memory of training sets, from the
 * embedded warehouse and from its export in Parquet, beside DuckDB's ASOF JOIN of the same files; every answer is compared.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../utilities/values/problem.ts'
import { run, type Finished } from './child.ts'
import { duckdbVersion, openDuckdb } from './duckdb.ts'
import { flag, text, wordsOf } from './options.ts'
import { machine, median, megabytes, spread, table, wholeNumber } from './report.ts'
import { inScratch } from './scratch.ts'
import { fillWarehouse, writeLabels, type Sizes } from './training-data.ts'
import { measureFeast } from './training-feast.ts'

const say = (line: string) => process.stderr.write(`${line}\n`)
const given = wordsOf({ rows: text, labels: text, keys: text, runs: text, feast: flag })
const sizes: Sizes = {
  rows: Number(given.rows ?? 5_000_000),
  labels: Number(given.labels ?? 1_000_000),
  keys: Number(given.keys ?? 100_000),
}

type Way = { readonly name: string; readonly script: string; readonly args: (out: string) => readonly string[] }

await inScratch(async ({ dir }) => {
  const [dataDir, labels, rows] = [join(dir, 'tidemark'), join(dir, 'labels.parquet'), join(dir, 'rows')]
  const configFile = join(dir, 'training.json')
  writeFileSync(configFile, JSON.stringify({ dataDir, features: join(import.meta.dirname, 'training-definitions.ts') }))
  say(`${wholeNumber(sizes.rows)} rows of ${wholeNumber(sizes.keys)} keys, and ${wholeNumber(sizes.labels)} labels …`)
  await fillWarehouse(dataDir, sizes)
  await writeLabels(labels, join(dir, 'labels'), sizes)
  await run('tidemark.js', ['export', 'spending@0', '--out', rows, '--config', configFile])
  const mine = [
    'training-set',
    '--labels',
    labels,
    '--time',
    'decided_at',
    '--features',
    'spending@0:mean10,spending@0:total',
    '--config',
    configFile,
  ]
  const ways: readonly Way[] = [
    { name: 'Tidemark, Parquet', script: 'tidemark.js', args: (out) => [...mine, '--rows', rows, '--out', out] },
    { name: 'Tidemark, embedded', script: 'tidemark.js', args: (out) => [...mine, '--out', out] },
    { name: 'DuckDB, ASOF JOIN', script: 'bench/training-duckdb.ts', args: (out) => [labels, rows, out] },
  ]
  const measured = new Map<string, Finished[]>(ways.map(({ name }) => [name, []]))
  for (let turn = 1; turn <= Number(given.runs ?? 3); turn++) {
    for (const [i, { name, script, args }] of ways.entries()) {
      const out = join(dir, `out-${i}.parquet`)
      for (const path of [out, `${out}.manifest.json`]) rmSync(path, { force: true })
      const finished = await run(script, args(out))
      measured.get(name)!.push(finished)
      say(`${name}: ${finished.cpuSeconds.toFixed(2)} s of processor time, ${megabytes([finished.peakBytes])} MB`)
    }
  }
  await compareAll(ways.map((_, i) => join(dir, `out-${i}.parquet`)))
  if (given.feast === true) measured.set('Feast, offline store', [await measureFeast({ dir, labels, rows })])
  const cpu = (name: string) => measured.get(name)!.map(({ cpuSeconds }) => cpuSeconds)
  const duckdb = median(cpu('DuckDB, ASOF JOIN'))
  const lines = [...measured].map(([name, runs]) => [
    name,
    spread(cpu(name)),
    (median(cpu(name)) / duckdb).toFixed(2),
    spread(runs.map(({ seconds }) => seconds)),
    megabytes(runs.map(({ peakBytes }) => peakBytes)),
  ])
  process.stdout.write(
    `\n${wholeNumber(sizes.labels)} labels × ${wholeNumber(sizes.rows)} rows of ${wholeNumber(sizes.keys)} keys; ` +
      `measured ${machine({ Node: process.versions.node, DuckDB: await duckdbVersion() })}.\n\n` +
      `${table(['', 'processor s', '× DuckDB', 's', 'MB'], lines)}\n`,
  )
})

/** The same answer for every label, whoever gave it. */
async function compareAll([first, ...others]: readonly string[]): Promise<void> {
  const db = await openDuckdb(':memory:')
  for (const other of others) {
    const differs = `a.mean10 IS DISTINCT FROM b.mean10 OR a.total IS DISTINCT FROM b.total`
    for await (const [row] of db.rows(
      `SELECT count(*), count(*) FILTER (WHERE ${differs}) FROM '${first}' a FULL JOIN '${other}' b USING (id)`,
    )) {
      const [all, unlike] = row!.map(Number)
      if (all !== sizes.labels || unlike !== 0)
        throw new Problem(`${unlike} of ${all} labels have other features in ${other}`, 'Find out why.')
    }
  }
  db.close()
}
