import { base64, type Bytes } from '../core/bytes'

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' }

export interface NewDeviceKey {
  /** base64 of the SPKI DER public key, as the server enrols it */
  publicKey: string
  /** PKCS #8: seal it at once and let it go */
  privateKey: Bytes
}

/** Make the device's signing key; the only moment at which it exists outside a seal. */
export async function newDeviceKey(): Promise<NewDeviceKey> {
  const pair = await crypto.subtle.generateKey(CURVE, true, ['sign', 'verify'])
  return {
    publicKey: base64(new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey))),
    privateKey: new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey)),
  }
}

/** Signs what this device says; the key in memory cannot be exported. */
export class Signer {
  private constructor(private readonly key: CryptoKey) {}

  static async of(privateKey: Bytes): Promise<Signer> {
    return new Signer(await crypto.subtle.importKey('pkcs8', privateKey, CURVE, false, ['sign']))
  }

  /** base64 of raw r||s, ECDSA with SHA-256. */
  async sign(bytes: Bytes): Promise<string> {
    const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, this.key, bytes)
    return base64(new Uint8Array(signature))
  }
}
