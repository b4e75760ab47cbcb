/** Feast's offline store on the same labels and rows: it has to be installed in a Python of its own, which FEAST_PYTHON names. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../utilities/values/problem.ts'
import type { Finished } from './child.ts'

type Asked = { readonly dir: string; readonly labels: string; readonly rows: string }

export async function measureFeast({ dir, labels, rows }: Asked): Promise<Finished> {
  const python = process.env['FEAST_PYTHON']
  if (python === undefined)
    throw new Problem('FEAST_PYTHON is not set', 'python3 -m venv V; V/bin/pip install "feast[duckdb]"; FEAST_PYTHON=V/bin/python.')
  const repo = join(dir, 'feast')
  mkdirSync(repo)
  const store = {
    project: 'bench',
    provider: 'local',
    registry: join(repo, 'registry.db'),
    offline_store: { type: 'duckdb' },
    entity_key_serialization_version: 3,
  }
  writeFileSync(join(repo, 'feature_store.yaml'), JSON.stringify(store))
  writeFileSync(join(repo, 'ask.py'), script(labels, `${rows}/part-00001.parquet`, join(dir, 'feast.parquet')))
  const { status, stdout, stderr } = spawnSync(python, ['ask.py'], { cwd: repo, encoding: 'utf8' })
  if (status !== 0) throw new Problem(`Feast ended with ${status}: ${stderr.trim().slice(-400)}`, 'Run it alone to see more.')
  const { cpu, seconds, peak } = JSON.parse(stdout.trim().split('\n').at(-1)!) as { cpu: number; seconds: number; peak: number }
  return { cpuSeconds: cpu, seconds, peakBytes: peak, stdout }
}

const script = (labels: string, rows: string, out: string) => `
import json, resource, time
from datetime import timedelta
import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource
from feast.types import Float64
from feast.value_type import ValueType
began = time.time()
store = FeatureStore('.')
account = Entity(name='account', join_keys=['account'], value_type=ValueType.STRING)
source = FileSource(path='${rows}', timestamp_field='at')
fields = [Field(name=name, dtype=Float64) for name in ('mean10', 'total')]
view = FeatureView(name='spending', entities=[account], ttl=timedelta(0), source=source, schema=fields)
store.apply([account, view])
labels = pd.read_parquet('${labels}').rename(columns={'decided_at': 'event_timestamp'})
found = store.get_historical_features(entity_df=labels, features=['spending:mean10', 'spending:total'])
found.to_df().to_parquet('${out}')
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
cpu = sum(one.ru_utime + one.ru_stime for one in used)
print(json.dumps({'cpu': cpu, 'seconds': time.time() - began, 'peak': used[0].ru_maxrss * 1024}))
`
