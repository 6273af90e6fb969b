import { describe, expect, it } from 'vitest'
import { randomBytes, unbase64, utf8 } from '@/core/bytes'
import { canonical, type Json } from '@/core/jcs'
import { Safe, PIN_TRIES } from '@/store/safe'
import { handIn, handInLocked } from '@/sync/handin'
import { LineDown, type Send } from '@/sync/transport'
import { Sealer } from '@/vault/sealing'
import { WrongPin, type FederationWrap } from '@/vault/wraps'
import { federation } from './support/federation'
import { FakeServer } from './support/server'
import { notDone, photo, PIN, settle, tablet } from './support/tablet'

interface Part {
  hand_in: string
  replica: string
  reason: string
  n: number
  of: number
  kind: string
  sealed: FederationWrap
  at: string
  sig: string
}

/** The office's letter box: keeps the first of each part, and can lose the line. */
class LetterBox {
  readonly parts = new Map<string, Part>()
  failures: number[] = []
  asked = 0
  readonly send: Send = async (path, body) => {
    expect(path).toBe('/api/v1/hand-in')
    this.asked += 1
    const part = JSON.parse(JSON.stringify(body)) as Part
    if (this.failures.includes(this.asked)) throw new LineDown()
    const place = `${part.hand_in}/${part.n}`
    const known = this.parts.has(place)
    if (!known) this.parts.set(place, part)
    return { status: known ? 200 : 201, body: { receipt: `r-${part.hand_in}`, n: part.n } }
  }
  /** The parts of one hand-in, the newest if none is named, in order. */
  async opened(open: (wrap: FederationWrap) => Promise<never>) {
    const all = [...this.parts.values()]
    const newest = all.at(-1)?.hand_in
    const inOrder = all.filter((part) => part.hand_in === newest).sort((a, b) => a.n - b.n)
    return Promise.all(inOrder.map(async ({ kind, sealed }) => [kind, await open(sealed)] as [string, unknown]))
  }
}

async function withWork() {
  const server = new FakeServer()
  const office = await federation()
  server.policy = { federation_key: office.spki }
  const made = await tablet(server)
  await settle(made.engine)
  const kept = await photo('v1', randomBytes(300))
  await made.safe.change({ media: { add: [kept] } })
  await made.safe.keepDraft('evaluation/v9', { remark: '半句' })
  const said = await made.safe.say('record_not_done', notDone('v1'), 1)
  return { ...made, server, office, kept, said, box: new LetterBox() }
}
const quiet = () => undefined

describe('a tablet that was stopped', () => {
  it('hands in outbox, drafts and pictures so that only the federation can read them', async () => {
    const { safe, office, box, kept, said } = await withWork()
    const { end } = await handIn(safe, box.send, 'revoked', quiet)
    expect(end).toBe('done')
    const parts = await box.opened(office.openJson)
    expect(parts.map(([kind]) => kind)).toEqual(['log', 'drafts', 'media', 'end'])
    expect(parts[0]?.[1]).toEqual({ entries: [JSON.parse(JSON.stringify(said))] })
    expect(parts[1]?.[1]).toEqual({ drafts: { 'evaluation/v9': { remark: '半句' } } })
    expect(unbase64((parts[2]?.[1] as { body: string }).body)).toEqual(kept.bytes)
    expect(parts[3]?.[1]).toEqual({ receipt: null, entries: 1, media: 1, drafts: 1, damaged: 0 })
    expect(JSON.stringify([...box.parts.values()])).not.toContain('半句')
  })
  it('signs each part with the key of the device', async () => {
    const { safe, box } = await withWork()
    await handIn(safe, box.send, 'revoked', quiet)
    const curve = { name: 'ECDSA', namedCurve: 'P-256' }
    const key = await crypto.subtle.importKey('spki', unbase64(safe.publicKey), curve, true, ['verify'])
    for (const { sig, ...said } of box.parts.values()) {
      const bytes = utf8(canonical(said as unknown as Json))
      expect(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, unbase64(sig), bytes)).toBe(true)
    }
  })
  it('goes on after a cut with the same hand-in, and repeats no part that arrived', async () => {
    const { safe, box, office } = await withWork()
    box.failures = [3]
    expect(await handIn(safe, box.send, 'revoked', quiet)).toEqual({ end: 'line down' })
    expect(safe.log.size).toBe(1) // nothing is forgotten
    expect((await handIn(safe, box.send, 'revoked', quiet)).end).toBe('done')
    expect(box.asked).toBe(5)
    expect(new Set([...box.parts.values()].map(({ hand_in }) => hand_in)).size).toBe(1)
    expect((await box.opened(office.openJson)).length).toBe(4)
  })
  it('goes through on a full disk, which takes no note of the parts that arrived', async () => {
    const { safe, box, office } = await withWork()
    safe.db.amendVault = () => Promise.reject(new DOMException('no room', 'QuotaExceededError'))
    expect((await handIn(safe, box.send, 'revoked', quiet)).end).toBe('done')
    expect((await box.opened(office.openJson)).map(([kind]) => kind)).toEqual(['log', 'drafts', 'media', 'end'])
  })
  it('begins anew where the office says that what arrived is decided, or gone', async () => {
    const { safe, box, office } = await withWork()
    box.failures = [3]
    await handIn(safe, box.send, 'revoked', quiet)
    const [old] = [...box.parts.values()].map(({ hand_in }) => hand_in)
    const send: Send = (path, body, token) =>
      (body as unknown as Part).hand_in === old
        ? Promise.resolve({ status: 409, body: { type: '/problems/hand-in-anew' } })
        : box.send(path, body, token)
    expect((await handIn(safe, send, 'revoked', quiet)).end).toBe('done')
    const parts = await box.opened(office.openJson)
    expect(parts.map(([kind]) => kind)).toEqual(['log', 'drafts', 'media', 'end'])
  })
  it('is not taken, and forgets nothing, where the office asks for a new beginning without end', async () => {
    const { safe } = await withWork()
    let asked = 0
    const send: Send = () => Promise.resolve({ status: (asked += 1) && 409, body: { type: '/problems/hand-in-anew' } })
    expect(await handIn(safe, send, 'revoked', quiet)).toEqual({ end: 'not taken', status: 409 })
    expect([asked, safe.log.size]).toEqual([2, 1])
  })
  it('begins anew when something was recorded after a cut, so that the parts fit together', async () => {
    const { safe, box, office, said } = await withWork()
    box.failures = [2]
    expect(await handIn(safe, box.send, 'fork', quiet)).toEqual({ end: 'line down' })
    const later = await safe.say('record_not_done', notDone('v2'), 1)
    expect((await handIn(safe, box.send, 'fork', quiet)).end).toBe('done')
    const parts = await box.opened(office.openJson)
    expect(parts[0]?.[1]).toEqual({ entries: JSON.parse(JSON.stringify([said, later])) as Json })
    expect(parts.at(-1)).toEqual(['end', { entries: 2, media: 1, drafts: 1, damaged: 0, receipt: null }])
  })
  it('goes on until nothing was recorded meanwhile: what comes after the end would be forgotten', async () => {
    const { safe, box, office, said } = await withWork()
    let later: unknown
    const send: Send = async (path, body, token) => {
      const answer = await box.send(path, body, token)
      if (box.asked === 2) later = await safe.say('record_not_done', notDone('v2'), 1)
      return answer
    }
    expect((await handIn(safe, send, 'fork', quiet)).end).toBe('done')
    expect(await box.opened(office.openJson)).toContainEqual(['log', { entries: JSON.parse(JSON.stringify([said, later])) as Json }])
  })
  it('begins anew when the sent box was cleared after a cut: what moved into a part that is there would be left out', async () => {
    const { safe, box, office } = await withWork()
    const long = { ...notDone('v2'), note: '远'.repeat(499_000 - 700) }
    await safe.say('record_not_done', long, 1)
    await safe.say('record_not_done', notDone('v3'), 1)
    box.failures = [2]
    expect(await handIn(safe, box.send, 'fork', quiet)).toEqual({ end: 'line down' })
    await safe.change({ prune: [1] })
    expect((await handIn(safe, box.send, 'fork', quiet)).end).toBe('done')
    const handed = (await box.opened(office.openJson)).flatMap(([kind, plain]) =>
      kind === 'log' ? (plain as { entries: { seq: number }[] }).entries.map(({ seq }) => seq) : [],
    )
    expect(handed).toEqual([2, 3])
  })
  it.each([[{}], [null], [{ receipt: '', n: 0 }], [{ receipt: 'r', n: 99 }]])('takes %j for no receipt, whatever answered', async (body) => {
    const { safe } = await withWork()
    const portal: Send = () => Promise.resolve({ status: 200, body })
    expect(await handIn(safe, portal, 'revoked', quiet)).toEqual({ end: 'line down' })
    expect((await safe.db.vault())?.handIn).toBe(undefined)
  })
  it('hands in what does not open here as it lies, with the key that the federation unwraps', async () => {
    const { db, safe, box, office, kept } = await withWork()
    await safe.say('record_not_done', notDone('v2'), 1)
    const spoilt = new Uint8Array([1, 2, 3])
    await db.log.update(1, { body: spoilt })
    await db.drafts.update('evaluation/v9', { body: spoilt })
    await db.media.update(kept.media.sha256, { body: spoilt })
    const again = await Safe.unlock(db, PIN)
    expect((await handIn(again, box.send, 'damaged', quiet)).end).toBe('done')
    const parts = (await box.opened(office.openJson)) as [string, { store?: string; data_key?: FederationWrap; records?: { k?: string; seq?: number; body: string }[] }][]
    const raw = parts.filter(([, { records }]) => records)
    expect(raw.map(([kind, { store, records }]) => [kind, store, records?.[0]?.k ?? records?.[0]?.seq, records?.[0]?.body])).toEqual([
      ['media', 'media', kept.media.sha256, 'AQID'],
      ['store', 'drafts', 'evaluation/v9', 'AQID'],
      ['store', 'log', 1, 'AQID'],
    ])
    const dataKey = await office.openBytes(raw[1]?.[1].data_key as FederationWrap)
    const other = (await db.log.get(2))?.body ?? new Uint8Array()
    expect(await (await Sealer.of(dataKey)).openJson('log', 2, other)).toMatchObject({ seq: 2 })
    expect(parts.at(-1)?.[1]).toMatchObject({ entries: 1, damaged: 2 })
  })
  it('is not stopped by half a character in a draft', async () => {
    const { safe, box, office } = await withWork()
    await safe.keepDraft('evaluation/v9', { remark: '半\ud842' })
    expect((await handIn(safe, box.send, 'revoked', quiet)).end).toBe('done')
    expect((await box.opened(office.openJson))[1]).toEqual(['drafts', { drafts: { 'evaluation/v9': { remark: '半\ufffd' } } }])
  })
  it('keeps everything when the server does not take it', async () => {
    const { safe } = await withWork()
    const refuse: Send = () => Promise.resolve({ status: 422, body: {} })
    expect(await handIn(safe, refuse, 'revoked', quiet)).toEqual({ end: 'not taken', status: 422 })
  })
  it('without a key of the federation sends nothing', async () => {
    const { safe } = await tablet(new FakeServer())
    const box = new LetterBox()
    expect(await handIn(safe, box.send, 'revoked', quiet)).toEqual({ end: 'not taken', status: 0 })
    expect(box.asked).toBe(0)
  })
  it('learns the key from the very answer that stops it', async () => {
    const office = await federation()
    const server = new FakeServer()
    const { safe, engine, db } = await tablet(server)
    server.script = [{ status: 403, body: { type: '/problems/revoked', wipe: true, federation_key: office.spki } }]
    expect(await engine.exchange()).toBe('halted')
    expect((await db.vault())?.federation?.recipient).toBe(office.spki)
    expect(safe.state.halt).toBe('revoked')
  })
})

describe('a tablet locked by ten wrong PINs', () => {
  it('hands in its records as they lie, and the federation alone opens them', async () => {
    const { db, office, box, said } = await withWork()
    for (let turn = 0; turn < PIN_TRIES; turn += 1) {
      await expect(Safe.unlock(db, '000000')).rejects.toBeInstanceOf(WrongPin)
    }
    await expect(Safe.unlock(db, PIN)).rejects.toBeInstanceOf(WrongPin) // the right one no longer opens either
    expect((await handInLocked(db, box.send, quiet)).end).toBe('done')
    const parts = (await box.opened(office.openJson)) as [string, { store: string; data_key?: FederationWrap; records: { seq: number; body: string }[] }][]
    const dataKey = await office.openBytes(parts[0]?.[1].data_key as FederationWrap)
    const sealer = await Sealer.of(dataKey)
    const logged = parts.find(([, { store }]) => store === 'log')?.[1].records[0]
    expect(await sealer.openJson('log', logged?.seq ?? 0, unbase64(logged?.body ?? ''))).toEqual(JSON.parse(JSON.stringify(said)))
    expect([...box.parts.values()].every(({ reason, sig }) => reason === 'locked' && sig === '')).toBe(true)
  })
  it('begins anew when it was opened and written in after a cut', async () => {
    const { db, safe, box, office } = await withWork()
    box.failures = [7]
    expect(await handInLocked(db, box.send, quiet)).toEqual({ end: 'line down' })
    for (const visit of ['v2', 'v3', 'v4']) await safe.say('record_not_done', notDone(visit), 1)
    expect((await handInLocked(db, box.send, quiet)).end).toBe('done')
    const parts = (await box.opened(office.openJson)) as [string, { store: string; records: { seq: number }[] }][]
    const logged = parts.filter(([, { store }]) => store === 'log').flatMap(([, { records }]) => records.map(({ seq }) => seq))
    expect(logged).toEqual([1, 2, 3, 4])
  })
})
