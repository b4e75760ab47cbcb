/**
 * Adds the schemas and fingerprints of new releases to the golden files. What is there already is never changed: `node
 * test/golden/update.ts`.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { label, type Definition } from '../../feature-defs/feature-set.ts'
import { featureFingerprint, versionFingerprint } from '../../feature-defs/fingerprint.ts'
import * as loanRisk from '../../examples/loans/loan-risk.ts'
import { rowSchema } from '../../feature-defs/row-schema.ts'
import { inflowSchema, type AvroSchema } from '../../schemas/avro/schema.ts'
import { rejectedLoan } from '../../examples/loans/rejected-loan.ts'
import { Problem } from '../../utilities/values/problem.ts'

export const released: readonly Definition[] = Object.values(loanRisk)
  .map(({ definition }) => definition)
  .sort((a, b) => (a.set === b.set ? a.version - b.version : a.set < b.set ? -1 : 1))

type Fingerprints = { readonly [version: string]: { readonly version: string; readonly features: { readonly [name: string]: string } } }

export const fingerprintsPath = 'test/golden/fingerprints.json'

export const fingerprints = (): Fingerprints =>
  Object.fromEntries(
    released.map((definition) => [
      label(definition),
      {
        version: versionFingerprint(definition),
        features: Object.fromEntries(definition.features.map((feature) => [feature.name, featureFingerprint(definition, feature)])),
      },
    ]),
  )

/** Path and text of every released schema. */
export const releasedSchemas = (): readonly (readonly [path: string, text: string])[] => [
  [`schemas/released/${rejectedLoan.name}.avsc`, pretty(inflowSchema(rejectedLoan))],
  ...released.map(
    (definition) => [`schemas/released/${definition.set}.v${definition.version}.avsc`, pretty(rowSchema(definition))] as const,
  ),
]

const pretty = (value: AvroSchema | Fingerprints) => `${JSON.stringify(value, null, 2)}\n`

/** Returns what it added. Looks at everything before it writes anything. */
export function update(root: string): readonly string[] {
  const read = (path: string) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined)
  const refuse = (what: string): never => {
    throw new Problem(
      `${what} is released and the code now gives another`,
      'Put the code back as it was, and make the change in the next version.',
    )
  }

  const schemas = releasedSchemas()
    .filter(([path, text]) => (read(path) ?? text) === text || refuse(path))
    .filter(([path]) => read(path) === undefined)
  const kept = JSON.parse(read(fingerprintsPath) ?? '{}') as Fingerprints
  const fresh = Object.entries(fingerprints()).filter(([version, now]) => {
    if (kept[version] && JSON.stringify(kept[version]) !== JSON.stringify(now)) refuse(`the fingerprint of ${version}`)
    return !kept[version]
  })

  for (const [path, text] of schemas) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  if (fresh.length > 0) {
    mkdirSync(dirname(join(root, fingerprintsPath)), { recursive: true })
    writeFileSync(join(root, fingerprintsPath), pretty({ ...kept, ...Object.fromEntries(fresh) }))
  }
  return [...schemas.map(([path]) => path), ...fresh.map(([version]) => `the fingerprint of ${version}`)]
}

if (import.meta.main) {
  const added = update(join(import.meta.dirname, '../..'))
  console.log(added.length > 0 ? `added ${added.join(', ')}` : 'nothing to add')
}
