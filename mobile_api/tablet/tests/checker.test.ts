/** The checker's own decoders, held against published examples and hostile bytes. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { base45 } from '@/checker/base45'
import { decode, Malformed, signedBytes } from '@/checker/cbor'
import { type Keys, readCredential, readList, Untrusted } from '@/checker/credential'
import { isOlder, learn } from '@/checker/knowledge'
import { judge } from '@/checker/verdict'

const bytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16))
const text = (data: Uint8Array) => new TextDecoder().decode(data)

describe('base45 (RFC 9285, 4.3 and 4.4)', () => {
  it.each([
    ['BB8', 'AB'],
    ['%69 VD92EX0', 'Hello!!'],
    ['UJCLQE7W581', 'base-45'],
    ['QED8WEX0', 'ietf!'],
  ])('reads %s', (code, said) => {
    expect(text(base45(code))).toBe(said)
  })

  it.each(['GGW', ':::', 'A', 'a00', 'ABCD'])('refuses %s', (code) => {
    expect(() => base45(code)).toThrow(Malformed)
  })
})

describe('CBOR (RFC 8949, appendix A)', () => {
  it.each([
    ['00', 0],
    ['1903e8', 1000],
    ['1a000f4240', 1000000],
    ['3903e7', -1000],
    ['f5', true],
    ['6449455446', 'IETF'],
    ['83010203', [1, 2, 3]],
  ])('reads %s', (hex, value) => {
    expect(decode(bytes(hex))).toEqual(value)
  })

  it.each(['', '18', '5affffffff', '9bffffffffffffffff', 'a201010102', '0000', 'fb3ff199999999999a', '9f01ff'])(
    'refuses %s',
    (hex) => {
      expect(() => decode(bytes(hex))).toThrow(Malformed)
    },
  )

  it('refuses what is nested without end', () => {
    expect(() => decode(bytes('81'.repeat(1000) + '00'))).toThrow(Malformed)
  })

  it('never does anything but read or refuse, whatever the bytes', () => {
    let seed = 20180613
    const chance = () => (seed = (seed * 1103515245 + 12345) % 2147483648)
    for (let round = 0; round < 2000; round++) {
      const junk = Uint8Array.from({ length: chance() % 40 }, () => chance() % 256)
      try {
        decode(junk)
      } catch (error) {
        expect(error instanceof Malformed || error instanceof TypeError).toBe(true) // TypeError: no UTF-8
      }
    }
  })
})

async function issuer(kid: string) {
  const curve = { name: 'ECDSA', namedCurve: 'P-256' }
  const pair = await crypto.subtle.generateKey(curve, true, ['sign', 'verify'])
  const keys: Keys = new Map([[kid, pair.publicKey]])
  return { keys, sign: (data: Uint8Array<ArrayBuffer>) => crypto.subtle.sign({ ...curve, hash: 'SHA-256' }, pair.privateKey, data) }
}

const head = (major: number, size: number) =>
  size < 24 ? [(major << 5) | size] : size < 256 ? [(major << 5) | 24, size] : [(major << 5) | 25, size >> 8, size & 255]
const blob = (data: ArrayLike<number>) => [...head(2, data.length), ...Array.from(data)]
const said = (word: string) => [...head(3, new TextEncoder().encode(word).length), ...new TextEncoder().encode(word)]
const moment = (seconds: number) => [0x1a, (seconds >>> 24) & 255, (seconds >> 16) & 255, (seconds >> 8) & 255, seconds & 255]
const ID = Array.from({ length: 16 }, (_, n) => n)
const KID = [1, 2, 3, 4, 5, 6, 7, 8]
const ISSUED = 1528819200
const EXPIRES = 1844351999

const credential = [
  0xa5, 0x01, ...said('某区残联'), 0x04, ...moment(EXPIRES), 0x06, ...moment(ISSUED), 0x07, ...blob(ID),
  0x3a, 0x00, 0x01, 0x00, 0x00, 0x85, ...said('赵青山'), ...said('51130219500302001941'), 0x04, 0x01, 0xf5,
]
const HEADER = [0xa2, 0x01, 0x26, 0x04, ...blob(KID)]

async function message(payload: number[], header: number[], sign: (data: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>) {
  const signature = new Uint8Array(await sign(signedBytes(Uint8Array.from(header), Uint8Array.from(payload))))
  return Uint8Array.from([0xd2, 0x84, ...blob(header), 0xa0, ...blob(payload), ...blob(signature)])
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'
function encode45(data: Uint8Array): string {
  let code = ''
  for (let at = 0; at < data.length; at += 2) {
    const pair = at + 1 < data.length
    let value = pair ? (data[at] ?? 0) * 256 + (data[at + 1] ?? 0) : (data[at] ?? 0)
    for (let n = 0; n < (pair ? 3 : 2); n++, value = Math.floor(value / 45)) code += ALPHABET[value % 45] ?? ''
  }
  return code
}

describe('a credential', () => {
  it('is read when our key signed it', async () => {
    const { keys, sign } = await issuer('0102030405060708')
    const code = `DPC1:${encode45(await message(credential, HEADER, sign))}`
    const found = await readCredential(code, keys)
    expect([found.name, found.category, found.grade, found.demo]).toEqual(['赵青山', 'physical', 1, true])
    const known = { issuer: '某区残联', keys, list: undefined }
    expect((await judge(code, known, new Date(EXPIRES * 1000))).finding).toBe('unknown')
    expect((await judge(code, known, new Date((EXPIRES + 1) * 1000))).finding).toBe('expired')
  })

  it('is not called valid by a list of long ago', async () => {
    const { keys, sign } = await issuer('0102030405060708')
    const code = `DPC1:${encode45(await message(credential, HEADER, sign))}`
    const list = { issuer: '', number: 1, signedAt: new Date(2026, 0, 1), states: new Map() }
    expect((await judge(code, { keys, list }, new Date(2026, 0, 8))).finding).toBe('valid')
    expect(await judge(code, { keys, list }, new Date(2026, 0, 9))).toMatchObject({ finding: 'unknown', tone: 'care' })
  })

  it('is refused when any byte changed', async () => {
    const { keys, sign } = await issuer('0102030405060708')
    const good = await message(credential, HEADER, sign)
    for (let at = 0; at < good.length; at++) {
      const bad = good.slice()
      bad[at] = (bad[at] ?? 0) ^ 1
      const verdict = await judge(`DPC1:${encode45(bad)}`, { keys, list: undefined }, new Date(0))
      expect([at, ['not_ours', 'not_a_code'].includes(verdict.finding)]).toEqual([at, true])
    }
  })

  it('is refused when another key signed it', async () => {
    const { keys } = await issuer('0102030405060708')
    const other = await issuer('0102030405060708')
    const code = `DPC1:${encode45(await message(credential, HEADER, other.sign))}`
    await expect(readCredential(code, keys)).rejects.toThrow(Untrusted)
  })

  it('is no revocation list', async () => {
    const { keys, sign } = await issuer('0102030405060708')
    await expect(readList(await message(credential, HEADER, sign), keys)).rejects.toThrow(Malformed)
  })
})

describe('a fetched revocation list', () => {
  const list = (number: number, day: number) => ({ issuer: '', number, signedAt: new Date(2026, 0, day), states: new Map() })

  it('is an older one when it was signed before and says no more', () => {
    expect(isOlder(list(3, 1), list(4, 2))).toBe(true)
    expect(isOlder(list(4, 1), list(4, 2))).toBe(true)
  })

  it('is none when the office was restored, or its clock ran ahead for a while', () => {
    expect(isOlder(list(3, 2), list(4, 1))).toBe(false)
    expect(isOlder(list(5, 1), list(4, 9))).toBe(false)
  })
})

describe('what the page knows', () => {
  afterEach(() => vi.unstubAllGlobals())

  it('is not lost to a network whose own page answers', async () => {
    const kept = new Map<string, Response>()
    const put = async (name: string, answer: Response) => void kept.set(name, answer)
    const match = async (name: string) => kept.get(name)?.clone()
    vi.stubGlobal('caches', { open: async () => ({ put, match }) })
    const answering = (body: string) => vi.stubGlobal('fetch', async () => new Response(body))
    answering('{"issuer": "某区残联", "keys": []}')
    expect(await learn()).toMatchObject({ issuer: '某区残联', isKept: true })
    answering('<html>sign in to this network</html>')
    expect(await learn()).toMatchObject({ issuer: '某区残联', isKept: true })
    vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('no network')))
    expect(await learn()).toMatchObject({ issuer: '某区残联', isKept: true })
  })
})
