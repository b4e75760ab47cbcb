/** Which version of a set was promoted when. */
import type { VersionPorts } from '../versions/bring.ts'
import { promotionsOf, type PromotionAt } from '../versions/promotions.ts'

export const promotionsOfSet =
  (ports: Pick<VersionPorts, 'checkpoints' | 'registry' | 'warehouse'>) =>
  (set: string): Promise<readonly PromotionAt[]> =>
    promotionsOf(ports, set)
