import { describe, expect, it } from 'vitest'
import { base64, hex, sha256Hex, unbase64, utf8 } from '@/core/bytes'
import { CHAIN_START, canonicalBytes, chainAfter } from '@/core/chain'
import { addDays, ageOn, dayOf, timeOf, weekdayOf } from '@/core/clock'
import { newId } from '@/core/ids'
import { canonical, plain } from '@/core/jcs'
import { manifestDigest } from '@/core/manifest'

describe('canonical JSON (RFC 8785)', () => {
  it('orders members by UTF-16 units and spells numbers as ECMAScript does', () => {
    // RFC 8785 §3.2.3's own example
    const value = { '\u20ac': 'Euro', '\r': 'CR', '\ufb33': 'Hebrew', '1': 'One', '\ud83d\ude00': 'Grin', '\u0080': 'Control', '\u00f6': 'o' }
    expect(canonical(value)).toBe(
      '{"\\r":"CR","1":"One","\u0080":"Control","ö":"o","€":"Euro","😀":"Grin","\ufb33":"Hebrew"}',
    )
    expect(canonical([Number('333333333.33333329'), 1e30, 4.5, 2e-3, 1e-27, -0])).toBe(
      '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
    )
  })
  it('leaves out what is undefined', () => expect(canonical({ b: undefined, a: null })).toBe('{"a":null}'))
  it.each([[NaN], [Infinity], ['\ud800']])('refuses %s', (value) => expect(() => canonical(value)).toThrow(TypeError))
  it('makes a record of half an emoji writable', () =>
    expect(canonical(plain({ note: '好\ud83d', ok: '😀' }))).toBe('{"note":"好\ufffd","ok":"😀"}'))
})

describe('the chain', () => {
  const statement = { seq: 1, id: 'i', name: 'n', v: 1, at: 't', args: { b: 1, a: '二' } }
  it('covers the six signed members and nothing else', () => {
    const with_more = { ...statement, chain: 'x', sig: 'y' }
    expect(new TextDecoder().decode(canonicalBytes(with_more))).toBe(
      '{"args":{"a":"二","b":1},"at":"t","id":"i","name":"n","seq":1,"v":1}',
    )
  })
  it('is the hash of the chain before and the hash of the mutation, as text', async () => {
    const bytes = canonicalBytes(statement)
    expect(await chainAfter(CHAIN_START, bytes)).toBe(await sha256Hex('0'.repeat(64) + (await sha256Hex(bytes))))
  })
})

describe('the manifest', () => {
  it('has a digest that does not depend on the order of arrival', async () => {
    const rows: [string, string][] = [['b', '2'], ['a', '1']]
    expect(await manifestDigest(rows)).toBe(await sha256Hex('a:1\nb:2\n'))
    expect(await manifestDigest(rows.reverse())).toBe(await sha256Hex('a:1\nb:2\n'))
  })
})

describe('small things', () => {
  it('spells bytes and reads them back', () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256)
    expect(unbase64(base64(bytes))).toEqual(bytes)
    expect(hex(utf8('送'))).toBe('e98081')
  })
  it('makes ids of version 7 that sort by time', () => {
    const ids = [1, 2, 3].map((minute) => newId(1_528_000_000_000 + minute * 60_000))
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(true)
    expect([...ids].sort()).toEqual(ids)
  })
  it('counts days as China does', () => {
    const late = Date.parse('2018-06-04T16:30:00Z')
    expect([dayOf(late), timeOf(late)]).toEqual(['2018-06-05', '00:30'])
    expect(addDays('2018-02-28', 1)).toBe('2018-03-01')
    expect(weekdayOf('2018-06-04')).toBe(0)
    expect([ageOn('1930-06-05', '2018-06-04'), ageOn('1930-06-04', '2018-06-04')]).toEqual([87, 88])
  })
})
