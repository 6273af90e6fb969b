/** Pictures of a form that is being written. */
import type { Media } from '../store/records'
import type { Safe } from '../store/safe'

/** Take a picture away in its turn, while it is in no record: what was declared is waited for by the office. */
export const dropPicture = (safe: Safe, { sha256 }: Media): Promise<void> =>
  safe.change(() => (safe.media.get(sha256)?.state === 'draft' ? { media: { del: [sha256] } } : {}))

/** The pictures that are declared for the first time, to be sent; of the others the office has heard, or has them. */
export const declared = (all: readonly Media[]): Media[] =>
  all.filter(({ state }) => state === 'draft').map((item) => ({ ...item, state: 'declared' }))

/** What a corrected copy leaves out of what the first one declared: the picture itself stays for that one. */
export interface LeavesOut {
  without?: string[]
}

/** Take a picture out of a form: away, or out of the corrected copy alone. */
export async function takeOut(safe: Safe, form: LeavesOut, item: Media): Promise<void> {
  if (item.state === 'draft') return dropPicture(safe, item)
  form.without = [...(form.without ?? []), item.sha256]
}

/** Whether a picture of the case stands in the form; one that the server took for none is not declared again. */
export const standsIn = ({ sha256, state }: Media, { without }: LeavesOut): boolean =>
  state !== 'rejected' && !without?.includes(sha256)
