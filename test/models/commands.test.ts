/**
 * A model by the command line: from a file beside the definitions to rows, killed on the way, on another machine, and all that can be
 * amiss.
 */
import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { done, freshFolder, json, start, tidemark, until, warehouseOf } from '../cli-run.ts'
import { readRows } from '../oracle/compare.ts'
import { chance } from '../seeded.ts'
import { unlessMissing } from '../unless-missing.ts'
import { installRuntime, missingForRuntime } from './installed.ts'

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/models', name)

const definitions = (risk: string, more = '') => `
import { featureSet, mean, model, rejectedLoan } from 'tidemark'
export const v0 = featureSet({ name: 'loans', of: rejectedLoan }, { ma: mean('risk_score', { last: 50, round: 3 }) })
export const v1 = v0.add({ risk: ${risk} })
${more}`
const boosted = "model('boosted.onnx', { inputs: ['ma', 'amount_requested'], output: 'probabilities', column: 1 })"
const logistic = "model('logistic.onnx', { inputs: ['ma', 'amount_requested'], output: 'probabilities', column: 1 })"

let home: string
let loans: string
/** Its store has the version without a model. */
let begun: string

/** With what somebody has who has installed the runtime there. */
function folderWith(risk: string, { files = ['boosted.onnx'], more = '', installed = true } = {}): string {
  const folder = freshFolder()
  if (installed) symlinkSync(join(home, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'tidemark.json'), JSON.stringify({ features: 'features.ts', source: { file: loans } }))
  writeFileSync(join(folder, 'features.ts'), definitions(risk, more))
  for (const name of files) cpSync(fixture(name), join(folder, name))
  return folder
}

const scores = (folder: string, view = 'loans') =>
  readRows(warehouseOf(folder), `SELECT _seq, ma, amount_requested, risk FROM ${view} ORDER BY _seq`)

const refused = async (folder: string, words: string): Promise<string> => {
  const { code, err } = await tidemark(folder, words)
  expect(code).toBe(1)
  return err
}

unlessMissing(missingForRuntime(), () => {
  beforeAll(async () => {
    home = await installRuntime()
    const folder = freshFolder()
    await done(folder, 'generate --years 2007-2009 --rows 6000 --seed 5 --out loans.csv')
    loans = join(folder, 'loans.csv')
    begun = folderWith(boosted)
    await done(begun, 'apply loans@0 --yes')
  }, 600_000)

  describe('a model', () => {
    it('is planned, computed by batch and stream, proved, and followed by another one', { timeout: 240_000 }, async () => {
      const folder = folderWith(boosted, {
        files: ['boosted.onnx', 'logistic.onnx'],
        more: `export const v2 = v1.replace({ risk: ${logistic} })`,
      })
      await done(folder, 'apply loans@0 --yes')
      await done(folder, 'backfill --years 2007')
      const plan = await json(folder, 'plan loans@1 --shadow')
      expect(plan.plans[0].features.at(-1)).toMatchObject({
        feature: 'risk',
        change: 'added',
        after: { op: 'model', of: 'boosted.onnx', runtime: '1.30.0', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      })
      await done(folder, 'apply loans@1 --shadow --yes')
      await done(folder, 'promote loans@1 --yes')
      await done(folder, 'produce --years 2008')
      await done(folder, 'up --until-caught-up')
      expect(await done(folder, 'verify loans@1')).toMatch(/rows computed again and equal/)
      const before = scores(folder)
      expect(before.every(([, , , risk]) => typeof risk === 'number' && risk > 0 && risk < 1)).toBe(true)

      await done(folder, 'apply loans@2 --yes')
      expect((await json(folder, 'diff loans@1 loans@2')).features).toMatchObject([{ change: 'unchanged' }, { change: 'redefined' }])
      await done(folder, 'produce --years 2009')
      await done(folder, 'up --until-caught-up')
      for (const version of ['loans@1', 'loans@2']) expect(await done(folder, `verify ${version}`)).toMatch(/and equal/)
      expect(scores(folder, 'loans_v1').slice(0, before.length)).toEqual(before)
      await done(folder, 'rollback loans --yes')
      expect(await done(folder, 'verify loans@1')).toMatch(/and equal/)
      expect(scores(folder).slice(0, before.length)).toEqual(before)

      // From the file alone: the same values where windows began there, too.
      await done(folder, `backfill loans@1 --years 2007 --out out --format csv`)
      const [out] = readFileSync(join(folder, 'out', readdirSync(join(folder, 'out'))[0]!), 'utf8')
        .trim()
        .split('\n')
        .slice(-1)
      const last = readRows(
        warehouseOf(folder),
        `SELECT risk FROM loans_v1 WHERE application_date < '2008-01-01' ORDER BY _seq DESC LIMIT 1`,
      )
      expect(out!.split(',')).toContain(String(last[0]![0]))
    })

    it(
      'needs its file no more once it is applied, in this folder or where the store lies on another machine',
      { timeout: 120_000 },
      async () => {
        const folder = folderWith(boosted)
        await done(folder, 'apply loans@0 --yes')
        await done(folder, 'backfill --years 2007')
        await done(folder, 'apply loans@1 --yes')
        const wanted = scores(folder)
        const other = folderWith(boosted, { files: [] })
        cpSync(join(folder, '.tidemark'), join(other, '.tidemark'), { recursive: true })
        await done(folder, 'produce --years 2008')
        await done(folder, 'up --until-caught-up')
        // What reads definitions says how to go on without the file.
        expect(await refused(other, 'plan loans@1')).toMatch(
          /its model boosted.onnx is not there: .*Put the file there; of a released version write/s,
        )
        const sha256 = (await json(folder, 'plan loans@1')).plans[0].features.at(-1).after.sha256
        writeFileSync(join(other, 'features.ts'), definitions(boosted.replace(' })', `, sha256: '${sha256}' })`)))
        await done(other, 'produce --years 2008')
        await done(other, 'up --until-caught-up')
        expect(await done(other, 'verify loans@1')).toMatch(/and equal/)
        expect(scores(other)).toEqual(scores(folder))
        expect(scores(other).slice(0, wanted.length)).toEqual(wanted)
      },
    )

    it('goes on with the same bits when its consumer is killed again and again', { timeout: 240_000 }, async () => {
      const [folder, calm] = [folderWith(boosted), folderWith(boosted)]
      for (const one of [folder, calm]) {
        await done(one, 'apply loans@0 --yes')
        await done(one, 'apply loans@1 --yes')
      }
      await done(calm, 'produce --years 2007-2009')
      await done(calm, 'up --until-caught-up')
      const producing = start(folder, 'produce --years 2007-2009 --rate 1500')
      for (let kills = 0; kills < 4 || !producing.hasEnded(); kills++) {
        const up = start(folder, 'up')
        await until(() => up.err().includes('consume: loans@1') || up.hasEnded())
        await new Promise((next) => setTimeout(next, 300 + chance() * 500))
        up.signal('SIGKILL')
        await up.ended
      }
      await producing.ended
      await done(folder, 'up --until-caught-up')
      expect(scores(folder)).toEqual(scores(calm))
      expect(await done(folder, 'verify loans@1')).toMatch(/6 000 rows computed again and equal/)
    })

    it('begins to score what comes while the consumer runs, which nobody starts again', { timeout: 120_000 }, async () => {
      const folder = folderWith(boosted)
      await done(folder, 'apply loans@0 --yes')
      const up = start(folder, 'up')
      await until(() => up.err().includes('consume: loans@0'))
      await done(folder, 'produce --years 2007')
      await done(folder, 'apply loans@1 --forward-only --yes')
      await done(folder, 'produce --years 2008')
      await until(() => up.err().includes('consume: loans@1') || up.hasEnded())
      up.signal('SIGINT')
      expect(await up.ended).toMatchObject({ code: 0 })
      await done(folder, 'up --until-caught-up')
      expect(await done(folder, 'verify loans@1')).toMatch(/and equal/)
      const [unscored, scored] = ['_version = 0', '_version = 1 AND risk > 0'].map((where) =>
        Number(readRows(warehouseOf(folder), `SELECT count(*) FROM loans WHERE ${where}`)[0]![0]),
      )
      expect(scored).toBeGreaterThan(1000)
      expect(unscored! + scored!).toBe(Number(readRows(warehouseOf(folder), 'SELECT count(*) FROM loans')[0]![0]))
    })

    it('that is NaN for some rows is null there, and they are counted by name', { timeout: 120_000 }, async () => {
      const folder = folderWith("model('root.onnx', { inputs: ['risk_score'], output: 'y' })", { files: ['root.onnx'] })
      await done(folder, 'apply loans@0 --yes')
      await done(folder, 'apply loans@1 --yes')
      const told = await done(folder, 'backfill --years 2007')
      const nulls = Number(readRows(warehouseOf(folder), 'SELECT count(*) FROM loans_v1 WHERE risk IS NULL')[0]![0])
      expect(nulls).toBeGreaterThan(0)
      expect(told).toContain(`risk of loans@1 null in ${nulls} rows: its model gave no number`)
      await done(folder, 'produce --years 2008')
      expect((await json(folder, 'consume --until-caught-up')).noNumbers['loans@1'].risk).toBeGreaterThan(0)
    })
  })

  describe('what is amiss', () => {
    const cases: readonly [what: string, risk: string, options: Parameters<typeof folderWith>[1], says: RegExp][] = [
      ['no file', boosted, { files: [] }, /loans@1: feature risk: its model boosted\.onnx is not there: .*\. Put the file there/],
      [
        'a file of another checksum',
        boosted.replace(' })', `, sha256: '${'0'.repeat(64)}' })`),
        {},
        /its model boosted\.onnx is another file: its checksum is [0-9a-f]{64}, and the definition says 0{64}\. Put the file back/,
      ],
      [
        'no runtime',
        boosted,
        { installed: false },
        /the model boosted\.onnx needs onnxruntime-web, which is not installed\. Run: npm install onnxruntime-web@1\.30\.0/,
      ],
      [
        'another runtime',
        boosted.replace(' })', ", runtime: '1.29.0' })"),
        {},
        /is run by onnxruntime-web 1\.29\.0, and 1\.30\.0 is installed\. .*npm install onnxruntime-web@1\.29\.0/,
      ],
      [
        'an input that is nothing',
        boosted.replace("'ma'", "'mo'"),
        {},
        /feature risk: its input mo is neither a feature before it nor a field of rejected_loan\. It can read ma, amount_requested/,
      ],
      ['an input that is a text', boosted.replace("'ma'", "'state'"), {}, /its input state is a text, and a model takes numbers/],
      [
        'too many inputs',
        boosted.replace("'ma'", "'ma', 'risk_score'"),
        {},
        /boosted\.onnx takes 2 numbers a row, and the definition names 3: ma, risk_score, amount_requested\. Name what the model was trained on/,
      ],
      [
        'inputs of other names',
        boosted.replace('boosted', 'named'),
        { files: ['named.onnx'] },
        /the inputs of named\.onnx are amount, level, and the definition names ma, amount_requested/,
      ],
      [
        'an output that is not there',
        boosted.replace('probabilities', 'scores'),
        {},
        /boosted\.onnx has no output scores\. Its outputs are label, probabilities\./,
      ],
      ['several numbers a row', boosted.replace(', column: 1', ''), {}, /is rows × 2: several numbers a row\. Say which: column: 0 to 1/],
      [
        'no tensor',
        boosted.replace('boosted', 'zipmap').replace('probabilities', 'output_probability'),
        { files: ['zipmap.onnx'] },
        /is no tensor\. Convert the model with zipmap: False\./,
      ],
      [
        'rows that depend on others',
        "model('share.onnx', { inputs: ['ma', 'risk_score'], output: 'y', column: 0 })",
        { files: ['share.onnx'] },
        /what share\.onnx gives for a row depends on the rows beside it/,
      ],
      [
        'a file that is no model',
        boosted.replace('boosted.onnx', 'features.ts'),
        {},
        /the model features\.ts does not load: .*It must be an ONNX file/,
      ],
    ]
    it.each(cases)(
      '%s is said by name, with what to do, before anything is changed',
      { timeout: 60_000 },
      async (_, risk, options, says) => {
        const folder = folderWith(risk, options)
        cpSync(join(begun, '.tidemark'), join(folder, '.tidemark'), { recursive: true })
        const said = await refused(folder, 'apply loans@1 --yes')
        expect(said).toMatch(says)
        expect(said.trim().split('\n')).toHaveLength(1)
        expect(readRows(join(folder, '.tidemark', 'registry.db'), "SELECT count(*) FROM schemas WHERE subject = 'loans'")).toEqual([[1]])
      },
    )

    it('a released model whose file was replaced is named with both checksums', { timeout: 60_000 }, async () => {
      const folder = folderWith(boosted)
      await done(folder, 'apply loans@0 --yes')
      await done(folder, 'apply loans@1 --yes')
      cpSync(fixture('logistic.onnx'), join(folder, 'boosted.onnx'))
      const said = await refused(folder, 'plan loans@1')
      expect(said).toMatch(
        /loans@1 is released and was edited: risk was model\('boosted\.onnx', .*sha256: '[0-9a-f]{12}…'.* and is now model\(/,
      )
      expect(said).toMatch(/Put version 1 back as it was, and add the next version with v1\.add/)
    })

    it('a consumer without the runtime says so when it starts, and not when a record comes', { timeout: 60_000 }, async () => {
      const folder = folderWith(boosted)
      await done(folder, 'apply loans@0 --yes')
      await done(folder, 'apply loans@1 --yes')
      rmSync(join(folder, 'node_modules'))
      expect(await refused(folder, 'consume --until-caught-up')).toMatch(/needs onnxruntime-web, which is not installed\. Run: npm install/)
    })
  })
})
