/** The tables that tell of versions and of how far readers have come. */
import { qualified, type Target } from './names.ts'

/** The tables of our own by name, each as the statement that makes it. */
export function bookkeeping(target: Target): { readonly tidemark_versions: string; readonly tidemark_progress: string } {
  const table = (name: string, columns: readonly string[], key: string) =>
    `CREATE TABLE ${qualified(target, name)} (\n${[...columns, `PRIMARY KEY (${key})`].map((line) => `  ${line}`).join(',\n')}\n)`
  return {
    tidemark_versions: table(
      'tidemark_versions',
      [
        'feature_set VARCHAR(64) NOT NULL',
        'version INTEGER NOT NULL',
        'state VARCHAR(16) NOT NULL',
        'mode VARCHAR(16) NOT NULL',
        'schema_version_id VARCHAR(36) NOT NULL',
        'definition VARCHAR(65535) NOT NULL',
        'switches VARCHAR(65535) NOT NULL',
        'promotion INTEGER',
        'acts VARCHAR(65535) NOT NULL',
      ],
      'feature_set, version',
    ),
    tidemark_progress: table(
      'tidemark_progress',
      ['reader VARCHAR(256) NOT NULL', 'next_offset BIGINT NOT NULL', 'updated_at TIMESTAMP NOT NULL'],
      'reader',
    ),
  }
}
