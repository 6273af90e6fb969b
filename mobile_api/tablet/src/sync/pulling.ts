import { manifestDigest } from '../core/manifest'
import type { PullAnswer } from '../core/wire'
import type { PulledRow, SyncState } from '../store/records'

/** The page was made for a view that this tablet no longer holds; or it does not add up. */
export class BadPage extends Error {}

export interface AppliedPull {
  put: Map<string, PulledRow>
  del: string[]
  /** what came so far where everything is asked for anew; null once all has come */
  anew: string[] | null
}

/**
 * Work out what a pulled page changes, and prove it against the server's digest. Raises BadPage.
 *
 * Where everything is asked for anew, as after a restore of the office, what was held stays until all has come: on a
 * line that breaks off the day is not empty meanwhile.
 */
export async function applyPull(
  held: ReadonlyMap<string, PulledRow>,
  { view, anew }: Pick<SyncState, 'view' | 'anew'>,
  page: PullAnswer,
): Promise<AppliedPull> {
  if (page.base !== null && page.base !== view) throw new BadPage()
  const known = page.base === null ? [] : (anew ?? [...held.keys()])
  const hashes = new Map<string, string>(known.map((k) => [k, held.get(k)?.h ?? '']))
  for (const k of page.dels) hashes.delete(k)
  for (const { k, h } of page.puts) hashes.set(k, h)
  if ((await manifestDigest(hashes)) !== page.digest) throw new BadPage()
  const put = new Map(page.puts.map(({ k, h, d }) => [k, { h, d }]))
  if (!page.more) return { put, del: [...held.keys()].filter((k) => !hashes.has(k)), anew: null }
  return { put, del: page.dels, anew: page.base === null || anew ? [...hashes.keys()] : null }
}
