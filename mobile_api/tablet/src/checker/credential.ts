/** Verifies the QR credential and the revocation list: COSE_Sign1 with ES256 (RFC 9052, 9053). */
import { hex } from '../core/bytes'
import { base45 } from './base45'
import { decode, type Item, Malformed, signedBytes, Tagged } from './cbor'

export class Untrusted extends Error {}

/** The issuer's public keys by their COSE key id, in hexadecimal. */
export type Keys = Map<string, CryptoKey>

export const CATEGORIES = ['vision', 'hearing', 'speech', 'physical', 'intellectual', 'mental', 'multiple'] as const
export type Category = (typeof CATEGORIES)[number]
export const STATES = ['frozen', 'lost', 'replaced', 'moved', 'cancelled'] as const
export type State = (typeof STATES)[number]

export interface Credential {
  certificate: string
  issuer: string
  name: string
  number: string
  category: Category
  grade: number
  issuedAt: Date
  expiresAt: Date
  demo: boolean
}

export interface Revocations {
  issuer: string
  number: number
  signedAt: Date
  states: Map<string, State>
}

const PREFIX = 'DPC1:'
const LIST_TYPE = 'application/vnd.outreach.revocations+cbor'
const SIGN1 = 18
const ES256 = -7
const CLAIM = { issuer: 1, expires: 4, issued: 6, id: 7, holder: -65537, entries: -65538, number: -65539 }
const HEADER = { algorithm: 1, type: 3, key: 4 }

/** Read the text of a QR code; throw `Malformed` or `Untrusted`. */
export async function readCredential(text: string, keys: Keys): Promise<Credential> {
  if (!text.startsWith(PREFIX)) throw new Malformed('another kind of code')
  const claims = await open(base45(text.slice(PREFIX.length)), keys, undefined)
  const holder = claims.get(CLAIM.holder)
  if (!Array.isArray(holder)) throw new Malformed('not a credential')
  const [name, number, category, grade, demo] = holder
  return {
    certificate: hex(bytesOf(claims.get(CLAIM.id))),
    issuer: textOf(claims.get(CLAIM.issuer)),
    name: textOf(name),
    number: textOf(number),
    category: categoryOf(numberOf(category)),
    grade: numberOf(grade),
    issuedAt: momentOf(claims.get(CLAIM.issued)),
    expiresAt: momentOf(claims.get(CLAIM.expires)),
    demo: demo === true,
  }
}

/** Read a revocation list; throw `Malformed` or `Untrusted`. */
export async function readList(message: Uint8Array, keys: Keys): Promise<Revocations> {
  const claims = await open(message, keys, LIST_TYPE)
  const entries = claims.get(CLAIM.entries)
  if (!Array.isArray(entries)) throw new Malformed('not a list')
  const states = new Map<string, State>()
  for (const entry of entries) {
    if (!Array.isArray(entry)) throw new Malformed('not a list')
    const state = STATES[numberOf(entry[1]) - 1]
    if (state === undefined) throw new Malformed('a state we never write')
    states.set(hex(bytesOf(entry[0])), state)
  }
  return {
    issuer: textOf(claims.get(CLAIM.issuer)),
    number: numberOf(claims.get(CLAIM.number)),
    signedAt: momentOf(claims.get(CLAIM.issued)),
    states,
  }
}

async function open(message: Uint8Array, keys: Keys, type: string | undefined): Promise<Map<Item, Item>> {
  const tagged = decode(message)
  if (!(tagged instanceof Tagged) || tagged.tag !== SIGN1) throw new Malformed('not signed')
  const parts = tagged.value
  if (!Array.isArray(parts) || parts.length !== 4) throw new Malformed('not signed')
  const [guarded, loose, payload, signature] = parts
  if (!(loose instanceof Map) || loose.size > 0) throw new Malformed('not signed')
  const header = mapOf(decode(bytesOf(guarded)))
  if (header.get(HEADER.algorithm) !== ES256 || header.get(HEADER.type) !== type) throw new Malformed('not ours')
  const key = keys.get(hex(bytesOf(header.get(HEADER.key))))
  if (key === undefined) throw new Untrusted('signed by another key')
  const how = { name: 'ECDSA', hash: 'SHA-256' }
  const covered = signedBytes(bytesOf(guarded), bytesOf(payload))
  if (!(await crypto.subtle.verify(how, key, Uint8Array.from(bytesOf(signature)), covered))) {
    throw new Untrusted('the signature does not fit')
  }
  return mapOf(decode(bytesOf(payload)))
}

function bytesOf(item: Item | undefined): Uint8Array {
  if (item instanceof Uint8Array) return item
  throw new Malformed('bytes are missing')
}

function mapOf(item: Item): Map<Item, Item> {
  if (item instanceof Map) return item
  throw new Malformed('a map is missing')
}

function textOf(item: Item | undefined): string {
  if (typeof item === 'string') return item
  throw new Malformed('a text is missing')
}

function numberOf(item: Item | undefined): number {
  if (typeof item === 'number') return item
  throw new Malformed('a number is missing')
}

function momentOf(item: Item | undefined): Date {
  return new Date(numberOf(item) * 1000)
}

function categoryOf(digit: number): Category {
  const found = CATEGORIES[digit - 1]
  if (found === undefined) throw new Malformed('a category we never write')
  return found
}
