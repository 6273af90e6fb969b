import { sha256Hex, utf8, type Bytes } from './bytes'
import { canonical, type Json } from './jcs'

/** The chain before the first mutation. */
export const CHAIN_START = '0'.repeat(64)

/** What a mutation says, without what is said about it (its chain, its signature). */
export interface Statement {
  seq: number
  id: string
  name: string
  v: number
  at: string
  args: Json
}

/** A statement as it goes on the wire. */
export interface Mutation extends Statement {
  chain: string
  sig?: string
}

/** The bytes that are hashed into the chain and signed by the device. */
export function canonicalBytes({ seq, id, name, v, at, args }: Statement): Bytes {
  return utf8(canonical({ seq, id, name, v, at, args }))
}

/** chain_n = sha256(chain_{n-1} + sha256(canonical mutation_n)), both as hexadecimal text. */
export async function chainAfter(previous: string, bytes: Bytes): Promise<string> {
  return sha256Hex(previous + (await sha256Hex(bytes)))
}
