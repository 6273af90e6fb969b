import { base64, join, randomBytes, text, unbase64, utf8, type Bytes } from '../core/bytes'

/** OWASP's floor for PBKDF2 with SHA-256. */
export const PBKDF2_ROUNDS = 600_000
export const PIN_SHAPE = /^\d{6,12}$/

/** The data key wrapped under a PIN. */
export interface PinWrap {
  salt: string
  rounds: number
  iv: string
  wrapped: string
}

/** A PIN's wrap sealed once more under the part of the key that the server lends. */
export interface LeasedWrap {
  iv: string
  leased: string
}

/** The data key wrapped to a public key of the federation (ECDH-ES on P-256). */
export interface FederationWrap {
  recipient: string
  ephemeral: string
  iv: string
  wrapped: string
}

export class WrongPin extends Error {}

/** The tablet has forgotten the server's part of its key; it opens again after a word with the server. */
export class LeaseEnded extends Error {}

/** Wrap the data key under a PIN. */
export async function wrapWithPin(dataKey: Bytes, pin: string, rounds = PBKDF2_ROUNDS): Promise<PinWrap> {
  const salt = randomBytes(16)
  const iv = randomBytes(12)
  const key = await keyFromPin(pin, salt, rounds)
  const wrapped = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, dataKey)
  return { salt: base64(salt), rounds, iv: base64(iv), wrapped: base64(new Uint8Array(wrapped)) }
}

/** Take the data key out of its wrap. Raises WrongPin. */
export async function unwrapWithPin(wrap: PinWrap, pin: string): Promise<Bytes> {
  const key = await keyFromPin(pin, unbase64(wrap.salt), wrap.rounds)
  return open(key, wrap).catch(() => {
    throw new WrongPin()
  })
}

/** Seal a PIN's wrap under the server's part (base64 of 32 bytes): from now on both are needed. */
export async function sealUnderShare(wrap: PinWrap, share: string): Promise<LeasedWrap> {
  const iv = randomBytes(12)
  const key = await hkdf(unbase64(share), iv, ['encrypt'])
  const leased = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, utf8(JSON.stringify(wrap)))
  return { iv: base64(iv), leased: base64(new Uint8Array(leased)) }
}

/** The PIN's wrap as it stands, or out of its seal. Raises LeaseEnded where the server's part is not here. */
export async function pinWrapOf(wrap: PinWrap | LeasedWrap, share: string | null | undefined): Promise<PinWrap> {
  if ('wrapped' in wrap) return wrap
  if (!share) throw new LeaseEnded()
  const iv = unbase64(wrap.iv)
  const key = await hkdf(unbase64(share), iv, ['decrypt'])
  const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, unbase64(wrap.leased))
  return JSON.parse(text(new Uint8Array(plain))) as PinWrap
}

/** Wrap bytes so that only the federation's private key opens them: nothing is lost with a PIN. */
export async function sealToFederation(plain: Bytes, recipient: string): Promise<FederationWrap> {
  const curve = { name: 'ECDH', namedCurve: 'P-256' }
  const theirs = await crypto.subtle.importKey('spki', unbase64(recipient), curve, true, [])
  const ours = await crypto.subtle.generateKey(curve, true, ['deriveBits'])
  const ephemeral = new Uint8Array(await crypto.subtle.exportKey('raw', ours.publicKey))
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', theirs))
  const shared = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, ours.privateKey, 256)
  const key = await hkdf(new Uint8Array(shared), join(ephemeral, point), ['encrypt'])
  const iv = randomBytes(12)
  const wrapped = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, plain)
  return {
    recipient,
    ephemeral: base64(ephemeral),
    iv: base64(iv),
    wrapped: base64(new Uint8Array(wrapped)),
  }
}

/** Derive the key that both sides of sealToFederation reach (HKDF, RFC 5869). */
export async function hkdf(shared: Bytes, salt: Bytes, uses: KeyUsage[]): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', shared, 'HKDF', false, ['deriveKey'])
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt, info: utf8('outreach tablet v1') }
  return crypto.subtle.deriveKey(parameters, base, { name: 'AES-GCM', length: 256 }, false, uses)
}

async function keyFromPin(pin: string, salt: Bytes, rounds: number): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', utf8(pin), 'PBKDF2', false, ['deriveKey'])
  return crypto.subtle.deriveKey(
    { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: rounds },
    base,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  )
}

async function open(key: CryptoKey, wrap: { iv: string; wrapped: string }): Promise<Bytes> {
  const iv = unbase64(wrap.iv)
  return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, unbase64(wrap.wrapped)))
}
