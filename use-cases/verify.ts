/** `verify`: whether the warehouse holds exactly the rows of a version. */
import type { VersionPorts } from '../versions/bring.ts'
import { verify, type Verified, type VerifyOptions } from '../versions/verify.ts'
import { unlessAborted } from './row-files.ts'

export type Proof = Verified & { readonly equal: boolean }

/** undefined when it was told to stop: a proof that was cut short is none. */
export async function verifyVersion(ports: VersionPorts, options: VerifyOptions): Promise<Proof | undefined> {
  const found = await unlessAborted(options.signal, verify(ports, options))
  return found && { ...found, equal: found.differences === 0 }
}
