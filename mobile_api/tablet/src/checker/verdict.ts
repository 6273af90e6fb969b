/** What a scanned code is, by what the page knows at this moment. */
import { Malformed } from './cbor'
import { type Credential, readCredential, type Revocations, type State, Untrusted } from './credential'
import type { Knowledge } from './knowledge'

export type Finding = 'valid' | 'unknown' | 'expired' | State | 'not_ours' | 'not_a_code'
export type Tone = 'good' | 'care' | 'bad'

export interface Verdict {
  finding: Finding
  tone: Tone
  credential?: Credential
}

/** A list older than this says little of today. */
export const OLD_DAYS = 7
const DAY_MS = 86_400_000

/** Tell how many days ago a revocation list was signed. */
export function ageOf(list: Revocations, now: Date): number {
  return Math.max(0, Math.floor((now.getTime() - list.signedAt.getTime()) / DAY_MS))
}

/** Judge a code. Without a revocation list of these days a genuine code is `unknown`: it may be cancelled since. */
export async function judge(text: string, known: Pick<Knowledge, 'keys' | 'list'>, now: Date): Promise<Verdict> {
  try {
    const credential = await readCredential(text.trim(), known.keys)
    const state = known.list?.states.get(credential.certificate)
    if (state !== undefined) return { finding: state, tone: state === 'frozen' ? 'care' : 'bad', credential }
    if (credential.expiresAt < now) return { finding: 'expired', tone: 'care', credential }
    if (known.list === undefined || ageOf(known.list, now) > OLD_DAYS) return { finding: 'unknown', tone: 'care', credential }
    return { finding: 'valid', tone: 'good', credential }
  } catch (error) {
    if (error instanceof Untrusted) return { finding: 'not_ours', tone: 'bad' }
    if (error instanceof Malformed || error instanceof TypeError) return { finding: 'not_a_code', tone: 'bad' }
    throw error
  }
}
