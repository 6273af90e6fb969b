import { hex, randomBytes } from './bytes'

/** Make a UUIDv7 (RFC 9562 §5.7): sorts by time, tells nothing about a person. */
export function newId(at: number): string {
  const bytes = randomBytes(16)
  let rest = at
  for (let index = 5; index >= 0; index -= 1) {
    bytes[index] = rest % 256
    rest = Math.floor(rest / 256)
  }
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  const spelled = hex(bytes)
  return [8, 12, 16, 20].reduceRight((id, cut) => `${id.slice(0, cut)}-${id.slice(cut)}`, spelled)
}
