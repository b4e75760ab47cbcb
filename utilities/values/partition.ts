/** Which partition a key belongs to: as every Kafka client in its default setting decides it (murmur2). */

export function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions
}

function murmur2(bytes: Buffer): number {
  const mix = 0x5bd1e995
  const whole = bytes.length & ~3
  let hash = 0x9747b28c ^ bytes.length
  for (let at = 0; at < whole; at += 4) {
    let part = Math.imul(bytes.readInt32LE(at), mix)
    part = Math.imul(part ^ (part >>> 24), mix)
    hash = Math.imul(hash, mix) ^ part
  }
  for (let at = bytes.length - 1; at >= whole; at--) hash ^= bytes[at]! << (8 * (at & 3))
  if (whole < bytes.length) hash = Math.imul(hash, mix)
  hash = Math.imul(hash ^ (hash >>> 13), mix)
  return hash ^ (hash >>> 15)
}
