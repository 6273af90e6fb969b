/** The data key wrapped by a passkey: its PRF extension (WebAuthn Level 3, 10.1.4) yields the wrapping key. */
import { base64, randomBytes, unbase64, type Bytes } from '../core/bytes'
import { hkdf } from './wraps'

export interface PasskeyWrap {
  credential: string
  salt: string
  iv: string
  wrapped: string
}

/** This device has passkeys, but not with PRF. */
export class NoPrf extends Error {}
/** The person turned it away, or it is not the passkey that was made here. */
export class NotConfirmed extends Error {}

interface PrfResults {
  prf?: { enabled?: boolean; results?: { first?: ArrayBuffer } }
}

/** Tell whether this device has a lock of its own (fingerprint, face) that passkeys may use here. */
export async function hasPasskeys(): Promise<boolean> {
  // An address of numbers is no domain that a passkey could belong to.
  if (!window.isSecureContext || !('PublicKeyCredential' in window) || /^[\d.:[\]]+$/.test(location.hostname)) return false
  return PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().catch(() => false)
}

/** Make a passkey and wrap the data key with it. Raises NoPrf and NotConfirmed. */
export async function wrapWithPasskey(dataKey: Bytes, label: string): Promise<PasskeyWrap> {
  const salt = randomBytes(32)
  const made = await confirmed(
    navigator.credentials.create({
      publicKey: {
        challenge: randomBytes(32), // nobody else checks it: the passkey serves this tablet alone
        rp: { name: document.title },
        user: { id: randomBytes(16), name: label, displayName: label },
        pubKeyCredParams: [-7, -257].map((alg) => ({ type: 'public-key', alg })),
        authenticatorSelection: { authenticatorAttachment: 'platform', userVerification: 'required' },
        extensions: { prf: {} },
      },
    }),
  )
  if (!resultsOf(made).prf?.enabled) throw new NoPrf()
  const credential = new Uint8Array(made.rawId)
  const key = await keyOf(credential, salt, ['encrypt'])
  const iv = randomBytes(12)
  const wrapped = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, dataKey)
  return {
    credential: base64(credential),
    salt: base64(salt),
    iv: base64(iv),
    wrapped: base64(new Uint8Array(wrapped)),
  }
}

/** Take the data key out of a passkey's wrap. Raises NoPrf and NotConfirmed. */
export async function unwrapWithPasskey({ credential, salt, iv, wrapped }: PasskeyWrap): Promise<Bytes> {
  const key = await keyOf(unbase64(credential), unbase64(salt), ['decrypt'])
  const opened = crypto.subtle.decrypt({ name: 'AES-GCM', iv: unbase64(iv) }, key, unbase64(wrapped))
  return new Uint8Array(await opened)
}

async function keyOf(id: Bytes, salt: Bytes, uses: KeyUsage[]): Promise<CryptoKey> {
  const got = await confirmed(
    navigator.credentials.get({
      publicKey: {
        challenge: randomBytes(32),
        allowCredentials: [{ type: 'public-key', id }],
        userVerification: 'required',
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  )
  const secret = resultsOf(got).prf?.results?.first
  if (!secret) throw new NoPrf()
  return hkdf(new Uint8Array(secret), salt, uses)
}

async function confirmed(asking: Promise<Credential | null>): Promise<PublicKeyCredential> {
  const found = await asking.catch(() => null)
  if (!found) throw new NotConfirmed()
  return found as PublicKeyCredential
}

const resultsOf = (credential: PublicKeyCredential) => credential.getClientExtensionResults() as PrfResults
