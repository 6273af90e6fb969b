import { Malformed } from './cbor'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'

/** Decode base45 (RFC 9285). */
export function base45(text: string): Uint8Array {
  const digits = [...text].map((one) => ALPHABET.indexOf(one))
  if (digits.includes(-1) || digits.length % 3 === 1) throw new Malformed('not base45')
  const bytes: number[] = []
  for (let at = 0; at < digits.length; at += 3) {
    const [a = 0, b = 0, c] = digits.slice(at, at + 3)
    const value = a + b * 45 + (c ?? 0) * 2025
    if (value > (c === undefined ? 0xff : 0xffff)) throw new Malformed('not base45')
    if (c !== undefined) bytes.push(value >> 8)
    bytes.push(value & 255)
  }
  return Uint8Array.from(bytes)
}
