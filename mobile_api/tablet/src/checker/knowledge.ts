/** What the page knows of the issuer: keys and the revocation list, fetched when it can, kept when it cannot. */
import { type Keys, readList, type Revocations } from './credential'

export interface Knowledge {
  issuer: string
  keys: Keys
  list: Revocations | undefined
  /** whether the keys are here without a network, too */
  isKept: boolean
}

interface Issuer {
  issuer: string
  keys: { kid: string; x: string; y: string }[]
}

const KEPT = 'outreach-check-knowledge'
const ISSUER = 'issuer.json'
const LIST = 'revocations'
const PATIENCE_MS = 8000

/** Fetch keys and list, else take those kept; undefined when neither was ever here. */
export async function learn(): Promise<Knowledge | undefined> {
  // A private window keeps nothing, and neither does a full disk: what is fetched counts all the same.
  const kept = await caches.open(KEPT).catch(() => undefined)
  const said = await newest(kept)
  if (said === undefined) return undefined
  const isKept = (await kept?.match(ISSUER)) !== undefined
  return { ...said, list: await newestList(kept, said.keys), isKept }
}

/** Fetch the issuer's keys and keep them; without network, or where another page answers, take those kept. */
async function newest(kept: Cache | undefined): Promise<Pick<Knowledge, 'issuer' | 'keys'> | undefined> {
  const fresh = await fetched(ISSUER)
  const said = await imported(fresh?.clone())
  if (fresh === undefined || said === undefined) return imported(await kept?.match(ISSUER))
  await kept?.put(ISSUER, fresh).catch(() => undefined)
  return said
}

/**
 * Tell whether a list is an older one, shown once more. Also by its number: what a server signed while its clock ran
 * ahead must not shut out all that it says until then.
 */
export function isOlder(now: Revocations, before: Revocations): boolean {
  return now.signedAt < before.signedAt && now.number <= before.number
}

/** Keep a fetched list only when it is signed and not older than the one kept: nobody can roll it back. */
async function newestList(kept: Cache | undefined, keys: Keys): Promise<Revocations | undefined> {
  const before = await parsed(await kept?.match(LIST), keys)
  const fresh = await fetched(LIST)
  const now = await parsed(fresh?.clone(), keys)
  if (fresh === undefined || now === undefined) return before
  if (before !== undefined && isOlder(now, before)) return before
  await kept?.put(LIST, fresh).catch(() => undefined)
  return now
}

async function fetched(name: string): Promise<Response | undefined> {
  try {
    const answer = await fetch(name, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) })
    return answer.ok ? answer : undefined
  } catch {
    return undefined // no network, or a server that does not answer
  }
}

async function parsed(answer: Response | undefined, keys: Keys): Promise<Revocations | undefined> {
  if (answer === undefined) return undefined
  try {
    return await readList(new Uint8Array(await answer.arrayBuffer()), keys)
  } catch {
    return undefined // a list that nobody of ours signed is no list
  }
}

async function imported(answer: Response | undefined): Promise<Pick<Knowledge, 'issuer' | 'keys'> | undefined> {
  if (answer === undefined) return undefined
  const curve = { name: 'ECDSA', namedCurve: 'P-256' }
  const keys: Keys = new Map()
  try {
    const said = (await answer.json()) as Issuer
    for (const { kid, x, y } of said.keys) {
      keys.set(kid, await crypto.subtle.importKey('jwk', { kty: 'EC', crv: 'P-256', x, y }, curve, false, ['verify']))
    }
    return { issuer: said.issuer, keys }
  } catch {
    return undefined // as the page of a network that asks one to sign in first
  }
}
