import { join, randomBytes, text, utf8, type Bytes } from '../core/bytes'

/** The version of the stored shapes; bound into every seal. */
export const SCHEMA = 1
const FORMAT = 1
const IV_BYTES = 12

export class CannotOpen extends Error {
  constructor(readonly store: string) {
    super(`a sealed record of ${store} does not open`)
  }
}

/** Seals single records under the data key; a record is bound to its store, key and schema. */
export class Sealer {
  private constructor(private readonly key: CryptoKey) {}

  static async of(dataKey: Bytes): Promise<Sealer> {
    return new Sealer(await crypto.subtle.importKey('raw', dataKey, 'AES-GCM', false, ['encrypt', 'decrypt']))
  }

  async seal(store: string, key: string | number, plain: Bytes): Promise<Bytes> {
    const iv = randomBytes(IV_BYTES)
    const sealed = await crypto.subtle.encrypt(parameters(iv, store, key), this.key, plain)
    return join(new Uint8Array([FORMAT]), iv, new Uint8Array(sealed))
  }

  async open(store: string, key: string | number, sealed: Uint8Array): Promise<Bytes> {
    const iv = sealed.slice(1, 1 + IV_BYTES)
    try {
      if (sealed[0] !== FORMAT) throw new CannotOpen(store)
      const body = sealed.slice(1 + IV_BYTES)
      return new Uint8Array(await crypto.subtle.decrypt(parameters(iv, store, key), this.key, body))
    } catch {
      throw new CannotOpen(store)
    }
  }

  async sealJson(store: string, key: string | number, value: unknown): Promise<Bytes> {
    return this.seal(store, key, utf8(JSON.stringify(value)))
  }

  async openJson<T>(store: string, key: string | number, sealed: Uint8Array): Promise<T> {
    return JSON.parse(text(await this.open(store, key, sealed))) as T
  }
}

function parameters(iv: Bytes, store: string, key: string | number): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: utf8(`${store}|${key}|${SCHEMA}`) }
}
