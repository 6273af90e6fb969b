import { manifestDigest } from '../core/manifest'
import type { PullAnswer } from '../core/wire'
import type { PulledRow } from '../store/records'

/** The page was made for a view that this tablet no longer holds; or it does not add up. */
export class BadPage extends Error {}

export interface AppliedPull {
  clear: boolean
  put: Map<string, PulledRow>
  del: string[]
}

/** Work out what a pulled page changes, and prove it against the server's digest. Raises BadPage. */
export async function applyPull(
  held: ReadonlyMap<string, PulledRow>,
  view: string | null,
  page: PullAnswer,
): Promise<AppliedPull> {
  if (page.base !== null && page.base !== view) throw new BadPage()
  const clear = page.base === null
  const hashes = new Map<string, string>(clear ? [] : Array.from(held, ([k, row]) => [k, row.h]))
  for (const k of page.dels) hashes.delete(k)
  for (const { k, h } of page.puts) hashes.set(k, h)
  if ((await manifestDigest(hashes)) !== page.digest) throw new BadPage()
  return { clear, put: new Map(page.puts.map(({ k, h, d }) => [k, { h, d }])), del: page.dels }
}
