import { base64, join, text, unbase64 } from '@/core/bytes'
import { hkdf, type FederationWrap } from '@/vault/wraps'

const CURVE = { name: 'ECDH', namedCurve: 'P-256' }

/** The federation's key pair, and how the office opens what was sealed to it. */
export async function federation() {
  const pair = await crypto.subtle.generateKey(CURVE, true, ['deriveBits'])
  const spki = base64(new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey)))
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const openBytes = async (wrap: FederationWrap) => {
    const ephemeral = unbase64(wrap.ephemeral)
    const theirs = await crypto.subtle.importKey('raw', ephemeral, CURVE, true, [])
    const shared = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, pair.privateKey, 256)
    const key = await hkdf(new Uint8Array(shared), join(ephemeral, point), ['decrypt'])
    const iv = unbase64(wrap.iv)
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, unbase64(wrap.wrapped)))
  }
  return { spki, openBytes, openJson: async (wrap: FederationWrap) => JSON.parse(text(await openBytes(wrap))) as never }
}
