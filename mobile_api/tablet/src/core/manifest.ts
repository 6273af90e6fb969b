import { sha256Hex } from './bytes'

/** The digest by which the tablet proves which rows it holds. */
export async function manifestDigest(rows: Iterable<[key: string, hash: string]>): Promise<string> {
  // Keys are ASCII, so that UTF-16 order is the server's byte order.
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
  return sha256Hex(sorted.map(([key, hash]) => `${key}:${hash}\n`).join(''))
}
