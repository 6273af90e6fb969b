/** Photos of papers: on the disk at once; where one was taken is noted when the tablet knows it. */
import type { Bytes } from '../core/bytes'
import type { Place } from '../core/wire'
import type { Change } from '../store/change'
import type { Media } from '../store/records'
import type { Safe } from '../store/safe'

/** Keep a photo under its nomination; a place that is found only after it was sent stays unsaid. */
export async function keepPaper(safe: Safe, media: Media, bytes: Bytes, place: Promise<Place | null>): Promise<void> {
  await safe.change({ media: { add: [{ media, bytes }] } })
  const note = place.then((found) => safe.change(() => placed(safe.media.get(media.sha256), found)))
  void note.catch(() => undefined) // without its place it is a photo all the same
}

function placed(held: Media | undefined, place: Place | null): Change {
  return held?.state === 'draft' && place ? { media: { meta: [{ ...held, place }] } } : {}
}
