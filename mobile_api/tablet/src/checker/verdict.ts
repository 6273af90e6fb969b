/** What a scanned code is, by what the page knows at this moment. */
import { Malformed } from './cbor'
import { type Credential, readCredential, type State, Untrusted } from './credential'
import type { Knowledge } from './knowledge'

export type Finding = 'valid' | 'unknown' | 'expired' | State | 'not_ours' | 'not_a_code'
export type Tone = 'good' | 'care' | 'bad'

export interface Verdict {
  finding: Finding
  tone: Tone
  credential?: Credential
}

/** Judge a code. Without a revocation list a genuine code is `unknown`: it may be cancelled since. */
export async function judge(text: string, known: Pick<Knowledge, 'keys' | 'list'>, now: Date): Promise<Verdict> {
  try {
    const credential = await readCredential(text.trim(), known.keys)
    const state = known.list?.states.get(credential.certificate)
    if (state !== undefined) return { finding: state, tone: state === 'frozen' ? 'care' : 'bad', credential }
    if (credential.expiresAt < now) return { finding: 'expired', tone: 'care', credential }
    if (known.list === undefined) return { finding: 'unknown', tone: 'care', credential }
    return { finding: 'valid', tone: 'good', credential }
  } catch (error) {
    if (error instanceof Untrusted) return { finding: 'not_ours', tone: 'bad' }
    if (error instanceof Malformed || error instanceof TypeError) return { finding: 'not_a_code', tone: 'bad' }
    throw error
  }
}
