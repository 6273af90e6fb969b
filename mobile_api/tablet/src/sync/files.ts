import { sha256Hex } from '../core/bytes'
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

/** Fetch a signed certificate, hold it to its hash, and keep it sealed. Raises NotTheFile, or what fetch raises. */
export async function fetchCertificate(safe: Safe, id: string, get: Fetch = (path, init) => fetch(path, init)): Promise<void> {
  const row = safe.rows.get(`certificate/${id}`)?.d as unknown as CertificateRow | undefined
  const bytes = await patiently(async (signal, moved) => {
    const answer = await get(`/api/v1/certificates/${id}.pdf`, {
      headers: { Authorization: `Bearer ${safe.session?.token ?? ''}` },
      cache: 'no-store',
      credentials: 'omit',
      signal,
    })
    if (!answer.ok || !row) throw new NotTheFile()
    return bodyOf(answer, moved)
  })
  if ((await sha256Hex(bytes)) !== row?.sha256) throw new NotTheFile()
  await safe.change({ files: { add: [{ k: id, bytes }] } })
}
