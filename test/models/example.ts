/**
 * The loop of a model: a training set of features at @2, scikit-learn, ONNX, the next version with it, and a score for every new record.
 * npm run example:model, with -- --rows N for another size.
 */
import { execFile } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { makeAfresh } from '../../commands/tell.ts'
import { after, before, definitions, inputs, newest, nextVersion, trainingSet } from '../../examples/model/story.ts'
import { installPython, installRuntime, missingForPython, missingForRuntime } from './installed.ts'

const missing = missingForRuntime() ?? missingForPython()
if (missing !== undefined) {
  console.error(`The example cannot be run: ${missing}. Install it and run this again.`)
  process.exit(1)
}

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '40000' }, folder: { type: 'string', default: '.tidemark-model' } },
})
const { folder } = values
const node = resolve('node_modules/.bin/node')
const program = resolve('tidemark.js')

/** The statements of a plan are the same as for any version, and long. */
const withoutStatements = (text: string) => text.replace(/\n\n {2}(?:ALTER|CREATE|DROP)[\s\S]*?(?=\n\n(?! {2})|$)/g, '')

async function asked(words: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(node, [program, ...words], { cwd: folder, maxBuffer: 1e9 })
  return stdout.trim()
}

async function tidemark(...words: readonly string[]): Promise<void> {
  console.log(`\n$ tidemark ${words.map((word) => (/\s/.test(word) ? `"${word}"` : word)).join(' ')}`)
  console.log(withoutStatements(await asked(words)))
}

const told = async (lines: readonly string[]) => {
  for (const line of lines) await tidemark(...line.split(' '))
}

/** The features as they were, beside what came of it. */
async function writeTrainingSet(to: string): Promise<void> {
  writeFileSync(join(folder, to), `${await asked(['query', trainingSet, '--format', 'csv'])}\n`)
}

makeAfresh(folder)
console.log('Installing onnxruntime-web, scikit-learn and skl2onnx where they are not there yet; the first time takes minutes.')
const [home, python] = [await installRuntime(), await installPython()]
symlinkSync(join(home, 'node_modules'), join(folder, 'node_modules'))
writeFileSync(join(folder, 'tidemark.json'), JSON.stringify({ features: 'features.ts', source: { file: 'loans.csv.gz' } }))
writeFileSync(join(folder, 'features.ts'), definitions(false))

console.log(`\n1. Features of every application, at @2, in ${folder}`)
await told(before(Number(values.rows)))

console.log('\n2. A model is trained on what the features were')
await writeTrainingSet('training.csv')
const train = resolve('examples/model/train.py')
console.log(`$ python examples/model/train.py training.csv risk.onnx ${inputs.join(' ')}`)
const { stdout } = await promisify(execFile)(python, [train, 'training.csv', 'risk.onnx', ...inputs], { cwd: folder, maxBuffer: 1e9 })
console.log(stdout.trim())

console.log(`\n3. It is a feature of the next version\n\n${nextVersion}`)
writeFileSync(join(folder, 'features.ts'), definitions(true))
await told(after)

console.log('\n4. Every new record has a score, and says which version gave it')
await tidemark('query', newest)
