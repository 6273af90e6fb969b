import { base64, hex, sha256 } from '../core/bytes'
import type { CertificateRow } from '../core/wire'
import type { Safe } from '../store/safe'
import { bodyOf, patiently } from './transport'

/** What came over the line is not the file that was issued. */
export class NotTheFile extends Error {}

export type Fetch = (path: string, init: RequestInit) => Promise<Response>

/** Certificates to be handed over whose signed file is not kept here yet. */
export function wantedFiles(safe: Safe): string[] {
  return Array.from(safe.rows)
    .filter(([key, { d }]) => key.startsWith('certificate/') && !(d as unknown as CertificateRow).handed_over)
    .map(([key]) => key.slice('certificate/'.length))
    .filter((id) => !safe.files.has(id))
}

/** Fetch a signed certificate, hold it to its hash, and keep it sealed. Raises NotTheFile, or what fetch raises.
 *
 * Where the office has lost the file that the row names it gives the version before, and says so: that is as valid.
 */
export async function fetchCertificate(safe: Safe, id: string, get: Fetch = (path, init) => fetch(path, init)): Promise<void> {
  const row = safe.rows.get(`certificate/${id}`)?.d as unknown as CertificateRow | undefined
  const [bytes, given] = await patiently(async (signal, moved) => {
    const answer = await get(`/api/v1/certificates/${id}.pdf`, {
      headers: { Authorization: `Bearer ${safe.session?.token ?? ''}` },
      cache: 'no-store',
      credentials: 'omit',
      signal,
    })
    if (!answer.ok || !row) throw new NotTheFile()
    return [await bodyOf(answer, moved), answer.headers.get('Repr-Digest')] as const
  })
  const digest = await sha256(bytes)
  if (hex(digest) !== row?.sha256 && given !== `sha-256=:${base64(digest)}:`) throw new NotTheFile()
  // Meanwhile the office may have made another one.
  await safe.change(() => (safe.rows.get(`certificate/${id}`)?.d === (row as unknown) ? { files: { add: [{ k: id, bytes }] } } : {}))
}
