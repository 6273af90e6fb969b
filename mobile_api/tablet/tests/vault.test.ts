import { afterEach, describe, expect, it, vi } from 'vitest'
import { base64, randomBytes, text, unbase64, utf8 } from '@/core/bytes'
import { TabletDatabase } from '@/store/database'
import { AnotherTab, isShut, LetGo, PIN_TRIES, Safe, wrongPins } from '@/store/safe'
import { CannotOpen, Sealer } from '@/vault/sealing'
import { newDeviceKey, Signer } from '@/vault/signing'
import { LeaseEnded, sealToFederation, unwrapWithPin, wrapWithPin, WrongPin } from '@/vault/wraps'
import { federation } from './support/federation'
import { FakeServer } from './support/server'
import { notDone, photo, PIN, ROUNDS, tablet } from './support/tablet'

describe('sealed records', () => {
  it('open only in the place they were sealed for', async () => {
    const sealer = await Sealer.of(randomBytes(32))
    const sealed = await sealer.seal('drafts', 'a', utf8('任某'))
    expect(text(await sealer.open('drafts', 'a', sealed))).toBe('任某')
    await expect(sealer.open('drafts', 'b', sealed)).rejects.toBeInstanceOf(CannotOpen)
    await expect(sealer.open('rows', 'a', sealed)).rejects.toBeInstanceOf(CannotOpen)
  })
  it('do not open when one bit is changed', async () => {
    const sealer = await Sealer.of(randomBytes(32))
    const sealed = await sealer.seal('drafts', 'a', utf8('x'))
    sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1
    await expect(sealer.open('drafts', 'a', sealed)).rejects.toBeInstanceOf(CannotOpen)
  })
})

describe('the wraps of the data key', () => {
  it('open with the PIN and with no other', async () => {
    const key = randomBytes(32)
    const wrap = await wrapWithPin(key, PIN, ROUNDS)
    expect(await unwrapWithPin(wrap, PIN)).toEqual(key)
    await expect(unwrapWithPin(wrap, '246811')).rejects.toBeInstanceOf(WrongPin)
  })
  it('ask for at least 600,000 rounds unless a test says otherwise', async () => {
    expect((await wrapWithPin(randomBytes(32), PIN)).rounds).toBeGreaterThanOrEqual(600_000)
  })
  it('open with the private key of the federation', async () => {
    const { spki, openBytes } = await federation()
    expect(text(await openBytes(await sealToFederation(utf8('outbox'), spki)))).toBe('outbox')
  })
})

describe('the device key', () => {
  it('signs as raw r||s that the enrolled public key verifies', async () => {
    const { publicKey, privateKey } = await newDeviceKey()
    const signature = unbase64(await (await Signer.of(privateKey)).sign(utf8('said')))
    const curve = { name: 'ECDSA', namedCurve: 'P-256' }
    const key = await crypto.subtle.importKey('spki', unbase64(publicKey), curve, true, ['verify'])
    expect(signature.length).toBe(64)
    expect(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, utf8('said'))).toBe(true)
  })
})

const SHARE = base64(randomBytes(32))

/** What a browser keeps beside its databases. */
function smallStore() {
  const held = new Map<string, string>()
  return {
    getItem: (key: string) => held.get(key) ?? null,
    setItem: (key: string, value: string) => void held.set(key, value),
    removeItem: (key: string) => void held.delete(key),
  }
}
afterEach(() => vi.unstubAllGlobals())

describe('the safe', () => {
  it('comes back whole after it was closed, from the disk alone', async () => {
    const { db, safe } = await tablet(new FakeServer())
    const { media, bytes } = await photo('v1', randomBytes(2000))
    await safe.change({ drafts: { put: new Map([['visit/v1', { remark: '半句' }]]) }, media: { add: [{ media, bytes }] } })
    await safe.say('record_not_done', notDone('v2'), 1_528_000_000_000)
    const again = await Safe.unlock(db, PIN)
    expect(again.drafts.get('visit/v1')).toEqual({ remark: '半句' })
    expect(again.log).toEqual(safe.log)
    expect(again.state).toEqual(safe.state)
    expect(await again.bytesOf('media', media.sha256)).toEqual(bytes)
  })
  it('opens from the pack of its rows, and from the rows where the pack is older or spoilt', async () => {
    const { db, safe } = await tablet(new FakeServer())
    const put = (name: string) => ({ rows: { put: new Map([[`visit/${name}`, { h: name, d: { name } }]]), del: [] } })
    await safe.change(put('a'))
    await safe.pack()
    await db.rows.clear() // so that only the pack can tell of it
    expect([...(await Safe.unlock(db, PIN)).rows.keys()]).toEqual(['visit/a'])
    await safe.change(put('b'))
    expect(await db.meta.get('pack')).toBe(undefined) // a row that leaves is gone from the pack too
    expect([...(await Safe.unlock(db, PIN)).rows.keys()]).toEqual(['visit/b'])
    await safe.pack()
    await db.meta.put({ k: 'pack', body: new Uint8Array(40) })
    const reopened = await Safe.unlock(db, PIN)
    expect([...reopened.rows.keys()]).toEqual(['visit/b'])
    expect(reopened.damaged).toEqual([])
  })
  it('says which of its parts a step has changed, and no others', async () => {
    const { safe } = await tablet(new FakeServer())
    const told: (readonly string[])[] = []
    safe.onChange = (parts) => told.push([...parts].sort())
    await safe.keepDraft('evaluation/v1', { remark: '半句' })
    await safe.change({ rows: { put: new Map(), del: [] }, media: { meta: [], dropBytes: [] }, prune: [] })
    await safe.change({ rows: { put: new Map([['me', { h: 'h', d: {} }]]), del: [] } })
    expect(told).toEqual([['drafts'], [], ['rows', 'state']])
  })
  it('keeps nothing of a person in clear', async () => {
    const { db, safe } = await tablet(new FakeServer())
    const secret = '任某某 511302193001010012'
    await safe.change({
      drafts: { put: new Map([['visit/v1', { secret }]]) },
      rows: { put: new Map([['visit/v1', { h: 'h', d: { secret } }]]), del: [] },
      media: { add: [await photo('v1', utf8(secret))] },
      files: { add: [{ k: 'c', bytes: utf8(secret) }] },
    })
    await safe.say('record_not_done', { ...notDone('v1'), note: secret }, 1)
    const dump: string[] = []
    for (const table of db.tables) {
      for (const row of (await table.toArray()) as Record<string, unknown>[]) {
        for (const value of Object.values(row)) {
          dump.push(value instanceof Uint8Array ? new TextDecoder().decode(value) : JSON.stringify(value))
        }
      }
    }
    expect(dump.filter((piece) => piece.includes('任') || piece.includes('5113021930'))).toEqual([])
  })
  it('is a chain without holes however many speak at once', async () => {
    const { safe } = await tablet(new FakeServer())
    await Promise.all(Array.from({ length: 20 }, (_, index) => safe.say('record_not_done', notDone(`v${index}`), 1)))
    expect([...safe.log.keys()]).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    expect(safe.state.chain).toBe(safe.log.get(20)?.chain)
  })
  it('refuses to write from a second tab, and loses nothing of the first', async () => {
    const { db, safe } = await tablet(new FakeServer())
    const second = await Safe.unlock(db, PIN)
    await safe.say('record_not_done', notDone('v1'), 1)
    await expect(second.say('record_not_done', notDone('v2'), 1)).rejects.toBeInstanceOf(AnotherTab)
    expect((await Safe.unlock(db, PIN)).log).toEqual(safe.log)
  })
  it('that was let go writes what it was told before, and nothing after: another window works on', async () => {
    const { db, safe } = await tablet(new FakeServer())
    const draft = safe.keepDraft('evaluation/v1', { remark: '最后一句' })
    const gone = safe.letGo()
    const late = safe.change({ state: { syncedAt: 1 } }) // an answer that was still on its way
    await Promise.all([draft, gone])
    await expect(late).rejects.toBeInstanceOf(LetGo)
    const next = await Safe.unlock(db, PIN)
    expect(next.drafts.get('evaluation/v1')).toEqual({ remark: '最后一句' })
    await expect(safe.say('record_not_done', notDone('v1'), 1)).rejects.toBeInstanceOf(LetGo)
    await next.say('record_not_done', notDone('v2'), 1)
    expect([next.log.size, next.state.syncedAt]).toEqual([1, null])
  })
  it('takes a new PIN and the lease one after the other, in whichever order they come', async () => {
    const { db, safe } = await tablet(new FakeServer())
    await Promise.all([safe.rewrap(PIN, '135790'), safe.lend({ share: SHARE, ask: 'ask', until: 1 })])
    await db.amendVault({ lease: { share: null, ask: 'ask', until: 1 } })
    await expect(Safe.unlock(db, '135790')).rejects.toBeInstanceOf(LeaseEnded)
  })
  it('opens with the right PIN after a slip, also where a full disk does not let the slip be forgotten', async () => {
    const { db } = await tablet(new FakeServer())
    await expect(Safe.unlock(db, '000000')).rejects.toBeInstanceOf(WrongPin)
    const { put } = db.meta
    db.meta.put = () => Promise.reject(new DOMException('no room', 'QuotaExceededError')) as never
    await Safe.unlock(db, PIN)
    await expect(Safe.unlock(db, '000000')).rejects.toBeInstanceOf(WrongPin)
    db.meta.put = put
  })
  it.each([
    ['opens with the right PIN before the tenth wrong one, and forgets them', PIN_TRIES - 1, true],
    ['opens with no PIN after ten wrong ones', PIN_TRIES, false],
  ])('%s, also where a full disk takes no note of any', async (_name, wrong, opens) => {
    vi.stubGlobal('localStorage', smallStore())
    const db = new TabletDatabase(`full-${wrong}`)
    await Safe.create(db, PIN, 1, ROUNDS)
    await db.amendVault({ federation: { recipient: '', ephemeral: '', iv: '', wrapped: '' } })
    db.meta.put = () => Promise.reject(new DOMException('no room', 'QuotaExceededError')) as never
    for (let turn = 0; turn < wrong; turn += 1) {
      await expect(Safe.unlock(db, '000000')).rejects.toBeInstanceOf(WrongPin)
    }
    const opened = await Safe.unlock(db, PIN).catch((error: unknown) => error)
    expect(opened instanceof WrongPin).toBe(!opens)
    const vault = await db.vault()
    expect(vault && [wrongPins(vault), isShut(vault)]).toEqual(opens ? [0, false] : [PIN_TRIES, true])
  })
  it('opens again after the browser shut its storage and refused it once', async () => {
    const { db, safe } = await tablet(new FakeServer())
    await db.open()
    const refused = vi.spyOn(indexedDB, 'open').mockImplementation(() => {
      throw new DOMException('Internal error opening backing store', 'UnknownError')
    })
    db.close({ disableAutoOpen: false }) // what Dexie does once the browser has closed the connection
    await expect(db.vault()).rejects.toThrow()
    await expect(safe.say('record_not_done', notDone('v1'), 1)).rejects.toThrow()
    refused.mockRestore()
    await new Promise((later) => setTimeout(later, 5))
    await safe.say('record_not_done', notDone('v1'), 1)
    expect([...(await Safe.unlock(db, PIN)).log.keys()]).toEqual([1])
  })
  it('takes the PIN that was typed last while it is not enrolled yet', async () => {
    const db = new TabletDatabase('not enrolled')
    const safe = await Safe.create(db, PIN, 1, ROUNDS)
    await safe.setPin('135790')
    await expect(Safe.unlock(db, PIN)).rejects.toBeInstanceOf(WrongPin)
    expect((await Safe.unlock(db, '135790')).replica).toBe(safe.replica)
  })
  it('counts wrong PINs, and forgets them on the right one', async () => {
    const { db } = await tablet(new FakeServer())
    await expect(Safe.unlock(db, '000000')).rejects.toBeInstanceOf(WrongPin)
    expect((await db.vault())?.failed).toBe(1)
    await Safe.unlock(db, PIN)
    expect((await db.vault())?.failed).toBe(0)
  })
  it.each([
    ['keeps the PIN wrap where nobody else could open the work', null, false],
    ['drops the PIN wrap once the federation can open the work', { recipient: '', ephemeral: '', iv: '', wrapped: '' }, true],
  ])('%s after ten wrong PINs', async (_name, federation, dropped) => {
    const db = new TabletDatabase(`pins-${dropped}`)
    await Safe.create(db, PIN, 1, ROUNDS)
    const vault = await db.vault()
    if (vault) await db.meta.put({ ...vault, federation })
    for (let turn = 0; turn < PIN_TRIES; turn += 1) {
      await expect(Safe.unlock(db, '000000')).rejects.toBeInstanceOf(WrongPin)
    }
    expect((await db.vault())?.pin === null).toBe(dropped)
  })
  it('takes a new PIN without touching the data', async () => {
    const { db, safe } = await tablet(new FakeServer())
    await safe.say('record_not_done', notDone('v1'), 1)
    await safe.rewrap(PIN, '135790')
    await expect(Safe.unlock(db, PIN)).rejects.toBeInstanceOf(WrongPin)
    expect((await Safe.unlock(db, '135790')).log).toEqual(safe.log)
  })
})
