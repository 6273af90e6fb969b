/** What the server acknowledged, signed: the tablet checks it when it comes and can show it later. */
import { unbase64, utf8 } from './bytes'

/** The exact text that was signed, ECDSA on P-256 with SHA-256 (r‖s, base64), and the key's name. */
export interface SignedReceipt {
  said: string
  sig: string
  key: string
}

/** What a receipt says; its chain value covers every record up to `last_seq`. */
export interface ReceiptSays {
  replica: string
  epoch: string
  at: string
  last_seq: number
  chain: string
  outcomes: [seq: number, outcome: string][]
  /** declared files that were not on the server yet */
  missing: number
}

/** Another key signed it, or it was changed; or it speaks of something else than the answer it came with. */
export type Doubt = 'signature' | 'content'

export const saysOf = ({ said }: SignedReceipt): ReceiptSays => JSON.parse(said) as ReceiptSays

/** Tell what is wrong with a receipt that came with an answer; null when it holds. */
export async function doubtAbout(
  receipt: SignedReceipt,
  key: string,
  expected: Pick<ReceiptSays, 'replica' | 'epoch' | 'last_seq' | 'chain' | 'missing'>,
): Promise<Doubt | null> {
  if (!(await isSigned(receipt, key).catch(() => false))) return 'signature'
  const says = saysOf(receipt)
  return Object.entries(expected).every(([name, value]) => says[name as keyof typeof expected] === value) ? null : 'content'
}

async function isSigned({ said, sig }: SignedReceipt, key: string): Promise<boolean> {
  const curve = { name: 'ECDSA', namedCurve: 'P-256' }
  const spki = await crypto.subtle.importKey('spki', unbase64(key), curve, false, ['verify'])
  return crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, spki, unbase64(sig), utf8(said))
}
