/** As much of CBOR (RFC 8949) as our own messages use, and not a byte more: the rest is refused. */
import { join, text, utf8, type Bytes } from '../core/bytes'

export class Malformed extends Error {}

export type Item = number | string | boolean | null | Uint8Array | Item[] | Map<Item, Item> | Tagged

export class Tagged {
  constructor(
    readonly tag: number,
    readonly value: Item,
  ) {}
}

const DEEPEST = 16

/** Decode exactly one item. */
export function decode(bytes: Uint8Array): Item {
  const reader = new Reader(bytes)
  const item = reader.item(0)
  if (reader.left > 0) throw new Malformed('trailing bytes')
  return item
}

class Reader {
  private at = 0
  private readonly view: DataView

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  item(depth: number): Item {
    if (depth > DEEPEST) throw new Malformed('too deep')
    const head = this.take(1)[0] ?? 0
    const major = head >> 5
    const size = this.size(head & 31)
    switch (major) {
      case 0:
        return size
      case 1:
        return -1 - size
      case 2:
        return this.take(size).slice()
      case 3:
        return text(this.take(size))
      case 4:
        return this.list(size, depth)
      case 5:
        return this.map(size, depth)
      case 6:
        return new Tagged(size, this.item(depth + 1))
      default:
        return simple(head & 31)
    }
  }

  private list(size: number, depth: number): Item[] {
    if (size > this.left) throw new Malformed('a list longer than its bytes')
    return Array.from({ length: size }, () => this.item(depth + 1))
  }

  private map(size: number, depth: number): Map<Item, Item> {
    if (size > this.left) throw new Malformed('a map longer than its bytes')
    const found = new Map<Item, Item>()
    for (let n = 0; n < size; n++) {
      const key = this.item(depth + 1)
      if (found.has(key)) throw new Malformed('a key twice')
      found.set(key, this.item(depth + 1))
    }
    return found
  }

  private size(short: number): number {
    if (short < 24) return short
    const width = { 24: 1, 25: 2, 26: 4, 27: 8 }[short]
    if (width === undefined) throw new Malformed('a length without end')
    const at = this.at
    this.take(width)
    if (width === 1) return this.view.getUint8(at)
    if (width === 2) return this.view.getUint16(at)
    if (width === 4) return this.view.getUint32(at)
    const size = this.view.getBigUint64(at)
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new Malformed('a number too large')
    return Number(size)
  }

  private take(count: number): Uint8Array {
    if (count > this.left) throw new Malformed('cut off')
    this.at += count
    return this.bytes.subarray(this.at - count, this.at)
  }
}

function simple(short: number): Item {
  const found = { 20: false, 21: true, 22: null }[short]
  if (found === undefined) throw new Malformed('a value we never write')
  return found
}

/** Encode what the signature covers (RFC 9052, 4.4): a text and three byte strings in a list. */
export function signedBytes(guarded: Uint8Array, payload: Uint8Array): Bytes {
  const context = utf8('Signature1')
  const parts = [Uint8Array.of(0x84), head(3, context.length), context]
  for (const body of [guarded, new Uint8Array(), payload]) parts.push(head(2, body.length), body)
  return join(...parts)
}

function head(major: number, size: number): Uint8Array {
  const top = major << 5
  if (size < 24) return Uint8Array.of(top | size)
  if (size < 0x100) return Uint8Array.of(top | 24, size)
  if (size < 0x10000) return Uint8Array.of(top | 25, size >> 8, size & 255)
  return Uint8Array.of(top | 26, size >>> 24, (size >> 16) & 255, (size >> 8) & 255, size & 255)
}
