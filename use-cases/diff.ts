/** `diff`: two versions of a set compared. */
import { diff, type VersionsDiff } from '../versions/diff.ts'

export type Comparison = VersionsDiff

export const compareVersions: (...given: Parameters<typeof diff>) => Promise<Comparison> = diff
