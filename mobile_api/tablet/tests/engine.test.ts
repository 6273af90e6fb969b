import { describe, expect, it } from 'vitest'
import { declaration } from '@/book/evaluation'
import { receiptOf, visits as listed } from '@/book/views'
import { base64, randomBytes, sha256, sha256Hex, utf8 } from '@/core/bytes'
import { manifestDigest } from '@/core/manifest'
import type { Json } from '@/core/jcs'
import type { Media } from '@/store/records'
import { Safe } from '@/store/safe'
import { fetchCertificate, NotTheFile, wantedFiles } from '@/sync/files'
import { FakeServer } from './support/server'
import { engineOf, evaluation, NOMINATION, notDone, photo, PIN, settle, tablet } from './support/tablet'

const visits = (count: number) => new Map(Array.from({ length: count }, (_, i) => [`visit/${i}`, { on: `day ${i}` }]))
const digestOf = (safe: Safe) => manifestDigest(Array.from(safe.rows, ([k, row]) => [k, row.h]))

describe('an exchange', () => {
  it('empties the outbox and brings the rows, digest proven', async () => {
    const server = new FakeServer()
    server.rows = visits(7)
    server.pageRows = 3
    const { safe, engine } = await tablet(server)
    await safe.say('record_not_done', notDone('0'), 1)
    expect(await settle(engine)).toBe('rest')
    expect(server.ledger.map(({ mutation }) => mutation.seq)).toEqual([1])
    expect(safe.state).toMatchObject({ ackedSeq: 1, settledSeq: 1, complete: true, halt: null })
    expect(Object.fromEntries(Array.from(safe.rows, ([k, row]) => [k, row.d]))).toEqual(Object.fromEntries(server.rows))
    expect(await digestOf(safe)).toBe(safe.state.digest)
  })
  it('takes away what left the scope', async () => {
    const server = new FakeServer()
    server.rows = visits(3)
    const { safe, engine } = await tablet(server)
    await settle(engine)
    server.rows.delete('visit/1')
    await settle(engine)
    expect([...safe.rows.keys()].sort()).toEqual(['visit/0', 'visit/2'])
  })
  it('sends each mutation signed and chained, in batches', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    for (let index = 0; index < 120; index += 1) await safe.say('record_not_done', notDone(`${index}`), 1)
    await settle(engine)
    expect(server.ledger.map(({ mutation }) => mutation.seq)).toEqual(Array.from({ length: 120 }, (_, i) => i + 1))
    expect(server.requests.filter(({ push }) => push).map(({ push }) => push?.mutations.length)).toEqual([50, 50, 20])
  })
  it('learns the offset between this clock and the server', async () => {
    const server = new FakeServer()
    const { safe, engine, clock } = await tablet(server)
    clock.now += 3_600_000
    await settle(engine)
    expect(safe.state.offsetMs).toBe(-3_600_000)
  })
  it('learns whether the server has a clock of a demo', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    server.policy = { clock: 'simulated' }
    await settle(engine)
    expect(safe.state.policy.clock).toBe('simulated')
  })
})

describe('a bad line', () => {
  it('costs a repetition and never a second effect when the answer is lost', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    await safe.say('record_not_done', notDone('0'), 1)
    server.script = ['lost answer']
    expect(await engine.exchange()).toBe('down')
    expect(safe.state.ackedSeq).toBe(0)
    expect(await settle(engine)).toBe('rest')
    expect(server.ledger.length).toBe(1)
    expect(safe.outcomes.get(1)).toMatchObject({ outcome: 'duplicate', was: 'applied' })
  })
  it('never costs a full download when the answer is lost', async () => {
    const server = new FakeServer()
    server.rows = visits(5)
    const { engine } = await tablet(server)
    await settle(engine)
    server.rows.set('visit/9', {})
    server.script = ['lost answer']
    await engine.exchange()
    await settle(engine)
    const { pull } = server.requests.at(-1) ?? {}
    expect(pull?.view).not.toBeNull()
  })
  it('leaves everything as it was when the request is lost', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    await safe.say('record_not_done', notDone('0'), 1)
    server.script = ['lost request']
    expect(await engine.exchange()).toBe('down')
    expect([safe.state.ackedSeq, server.ledger.length]).toEqual([0, 0])
  })
  it('ignores the late answer to another request', async () => {
    const server = new FakeServer()
    server.rows = visits(2)
    const { safe, engine } = await tablet(server)
    server.script = ['late']
    expect(await engine.exchange()).toBe('later')
    expect([safe.rows.size, safe.state.view]).toEqual([0, null])
  })
  it('carries less each time it breaks off, and more again once it holds', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    const note = '路'.repeat(3_000) // 9,000 bytes each
    for (let index = 0; index < 20; index += 1) await safe.say('record_not_done', { ...notDone(`${index}`), note }, 1)
    server.script = Array<'lost answer'>(5).fill('lost answer')
    for (let turn = 0; turn < 5; turn += 1) await engine.exchange()
    expect(server.requests.map(({ push }) => push?.mutations.length)).toEqual([6, 3, 1, 1, 1])
    expect(server.requests.map(({ pull }) => pull?.max_bytes)).toEqual([65_536, 32_768, 16_384, 8_192, 4_096])
    server.requests = []
    await settle(engine)
    expect(server.requests.map(({ push }) => push?.mutations.length)).toEqual([1, 1, 1, 3, 6, 6, 2])
    expect(server.ledger.length).toBe(20)
  })
  it('tells what became of each record, also of those whose answer was lost with more than is sent again', async () => {
    const server = new FakeServer()
    server.decide = ({ seq }) => (seq === 3 ? { outcome: 'refused', message: '这天已有安排' } : { outcome: 'applied' })
    const { safe, engine } = await tablet(server)
    const note = '路'.repeat(3_000)
    const said = []
    for (const visit of ['a', 'b', 'c']) said.push(await safe.say('record_not_done', { ...notDone(visit), note }, 1))
    server.script = ['lost answer', 'lost answer', 'lost answer']
    for (let turn = 0; turn < 3; turn += 1) await engine.exchange()
    expect(server.ledger.length).toBe(3)
    expect(await settle(engine)).toBe('rest')
    expect(said.map((entry) => receiptOf(safe, entry))).toEqual(['all_safe', 'all_safe', 'disputed'])
  })
  it('makes progress with each page of a line that dies every time', async () => {
    const server = new FakeServer()
    server.rows = visits(6)
    server.pageRows = 2
    const { db, safe, clock } = await tablet(server)
    await engineOf(safe, server, clock).exchange()
    const again = await Safe.unlock(db, PIN)
    expect(again.rows.size).toBe(2)
    await settle(engineOf(again, server, clock))
    expect(again.rows.size).toBe(6)
  })
  it('keeps the day on the screen while a restored office tells everything anew, page by page', async () => {
    const server = new FakeServer()
    server.rows = visits(4)
    const { db, safe, clock, engine } = await tablet(server)
    await settle(engine)
    server.views.clear()
    server.pageRows = 1
    server.rows = new Map([['visit/9', { on: 'day 9' }], ['visit/0', { on: 'another day' }], ['visit/1', { on: 'day 1' }]])
    await engine.exchange()
    expect([...safe.rows.keys()].sort()).toEqual(['visit/0', 'visit/1', 'visit/2', 'visit/3', 'visit/9'])
    const again = await Safe.unlock(db, PIN)
    expect([again.rows.size, again.state.complete]).toEqual([5, false])
    const next = engineOf(again, server, clock)
    await next.exchange()
    server.rows.delete('visit/9') // what came and left again meanwhile
    await settle(next)
    expect(Object.fromEntries(Array.from(again.rows, ([k, row]) => [k, row.d]))).toEqual(Object.fromEntries(server.rows))
    expect([await digestOf(again), again.state.complete, again.state.anew]).toEqual([again.state.digest, true, null])
    expect((await Safe.unlock(db, PIN)).rows.size).toBe(2)
  })
  it('shows a visit as done while a restored office tells it as it stood before, page by page', async () => {
    const server = new FakeServer()
    const visit = { application: 'a', on: '2018-06-04', start: '09:00', state: 'scheduled', order: 1 }
    server.rows = new Map<string, Json>([['visit/0', visit], ['visit/1', { ...visit, start: '10:00' }]])
    const { safe, engine } = await tablet(server)
    await settle(engine)
    const shown = () => listed(safe).map(({ state }) => state)
    await safe.say('record_not_done', notDone('0'), 1)
    server.rows.set('visit/0', { ...visit, state: 'not_done' })
    await settle(engine)
    expect(shown()).toEqual(['not_done', 'scheduled'])
    server.ledger = []
    server.views.clear()
    server.pageRows = 1
    server.rows.set('visit/0', visit)
    await engine.exchange()
    expect([safe.state.complete, shown()]).toEqual([false, ['not_done', 'scheduled']])
  })
  it.each([503, 500, 429, 502])('waits and tries again after %d', async (status) => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    server.script = [{ status, body: null }]
    expect(await engine.exchange()).toBe('later')
    expect(safe.state.halt).toBeNull()
  })
})

describe('a server that answers and takes nothing in', () => {
  it('is left a pause, and is told again after it', async () => {
    const server = new FakeServer()
    const { safe, clock, engine } = await tablet(server)
    await safe.say('record_not_done', notDone('a'), 1)
    const honest = server.send
    const deaf = Object.assign(Object.create(server) as FakeServer, {
      send: ((path, body, token) => honest(path, { ...(body as object), push: undefined }, token)) as typeof honest,
    })
    expect(await engineOf(safe, deaf, clock).exchange()).toBe('later')
    expect(await settle(engine)).toBe('rest')
    expect([server.ledger.length, safe.state.ackedSeq]).toEqual([1, 1])
  })
})

describe('a disk too full for the rows that come', () => {
  const full = () => Promise.reject(new DOMException('no room', 'QuotaExceededError')) as never

  it('keeps what was acknowledged all the same, and frees the pictures that the server has', async () => {
    const server = new FakeServer()
    const { db, safe, engine } = await tablet(server)
    const kept = await photo('v1', randomBytes(500))
    const declared: Media = { ...kept.media, state: 'declared' }
    await safe.change({ media: { add: [{ media: declared, bytes: kept.bytes }] } })
    await safe.say('submit_evaluation', evaluation('v1', [declared]), 1)
    server.verified.add(declared.sha256)
    server.rows = visits(2)
    const { bulkPut } = db.rows
    db.rows.bulkPut = (rows: readonly unknown[]) => (rows.length ? full() : (Promise.resolve('') as never))
    expect(await engine.exchange()).toBe('full')
    expect([safe.state.ackedSeq, safe.state.view, safe.rows.size, safe.outcomes.size]).toEqual([1, null, 0, 1])
    expect(await safe.bytesOf('media', declared.sha256)).toBeNull()
    db.rows.bulkPut = bulkPut
    expect(await settle(engine)).toBe('rest')
    expect(safe.rows.size).toBe(2)
  })
})

describe('a page that does not add up', () => {
  it('is not taken; the tablet begins again from nothing', async () => {
    const server = new FakeServer()
    server.rows = visits(2)
    const { safe, engine } = await tablet(server)
    await settle(engine)
    const honest = server.send
    const lying = engineOf(safe, Object.assign(server, {
      send: (async (path, body, token) => {
        const answer = await honest(path, body, token)
        ;(answer.body as { pull: { digest: string } }).pull.digest = 'f'.repeat(64)
        return answer
      }) as typeof honest,
    }), { wall: () => 1, mono: () => 1 })
    expect(await lying.exchange()).toBe('more')
    expect([safe.rows.size, safe.state.view, safe.state.complete]).toEqual([2, null, false])
    // From nothing it does not add up either: asked for at once, it would be asked for without end.
    expect(await lying.exchange()).toBe('later')
  })
})

describe('a restored server', () => {
  it('is told again from the sent box', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    for (const visit of ['a', 'b', 'c']) await safe.say('record_not_done', notDone(visit), 1)
    await settle(engine)
    server.ledger = server.ledger.slice(0, 1)
    server.epoch = 'e2'
    expect(await settle(engine)).toBe('rest')
    expect(server.ledger.map(({ mutation }) => (mutation.args as { visit: string }).visit)).toEqual(['a', 'b', 'c'])
    expect(safe.state.epoch).toBe('e2')
  })
  it('restored while a push was on its way answers gap, and is told again', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    for (const visit of ['a', 'b']) await safe.say('record_not_done', notDone(visit), 1)
    await settle(engine)
    server.ledger = []
    await safe.say('record_not_done', notDone('c'), 1)
    expect(await settle(engine)).toBe('rest')
    expect(server.ledger.length).toBe(3)
  })
  it('restored to before the sent box begins asks for a person', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    for (const visit of ['a', 'b']) await safe.say('record_not_done', notDone(visit), 1)
    await settle(engine)
    await safe.change({ prune: [1] })
    server.ledger = []
    await settle(engine)
    expect(safe.state.halt).toBe('gap')
    await safe.say('record_not_done', notDone('c'), 1)
    expect(await settle(engine, 2)).toBe('rest') // and the server is left in peace
  })
})

describe('what the sent box keeps no longer', () => {
  it('takes with it when and where its pictures were taken', async () => {
    const server = new FakeServer()
    const { safe, db, engine } = await tablet(server)
    const [old, fresh] = [await photo('v1', randomBytes(50)), await photo('v2', randomBytes(50))]
    const declare = async ({ media, bytes }: typeof old, visit: string) => {
      const declared: Media = { ...media, state: 'declared' }
      await safe.change({ media: { add: [{ media: declared, bytes }] } })
      await safe.say('submit_evaluation', evaluation(visit, [declared]), 1)
      server.verified.add(media.sha256)
      await settle(engine)
    }
    await declare(old, 'v1')
    server.now += 40 * 86_400_000
    await declare(fresh, 'v2')
    await settle(engine)
    expect([...safe.log.keys()]).toEqual([2])
    expect([...safe.media.keys()]).toEqual([fresh.media.sha256])
    expect(await db.media.count()).toBe(1)
  })
})

describe('a server that lacks what the sent box no longer keeps', () => {
  it('frees no picture, and clears no record: what it does not name it does not know', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    await safe.say('record_not_done', notDone('a'), 1)
    const kept = await photo('v1', randomBytes(500))
    const declared: Media = { ...kept.media, state: 'declared' }
    await safe.change({ media: { add: [{ media: declared, bytes: kept.bytes }] } })
    await safe.say('submit_evaluation', evaluation('v1', [declared]), 1)
    await safe.say('record_not_done', notDone('b'), 1)
    await settle(engine)
    await safe.change({ prune: [1] })
    server.ledger = []
    server.now += 40 * 86_400_000
    await settle(engine)
    expect([safe.state.halt, safe.media.get(declared.sha256)?.state, [...safe.log.keys()]]).toEqual(['gap', 'declared', [2, 3]])
    expect(await safe.bytesOf('media', declared.sha256)).toEqual(kept.bytes)
  })
})

describe('the sent box', () => {
  const DAY = 86_400_000
  const sentTwo = async () => {
    const server = new FakeServer()
    const made = await tablet(server)
    for (const visit of ['a', 'b']) await made.safe.say('record_not_done', notDone(visit), 1)
    return { ...made, server }
  }
  it('is cleared after thirty days by the clock of the server, all but the last record', async () => {
    const { server, safe, engine } = await sentTwo()
    await settle(engine)
    server.now += 29 * DAY
    await settle(engine)
    expect([...safe.log.keys()]).toEqual([1, 2])
    server.now += 2 * DAY
    await settle(engine)
    expect([...safe.log.keys()]).toEqual([2])
  })
  it('keeps what a restored server will ask for, although the clock here was years off and is put right', async () => {
    const { server, safe, engine, clock } = await sentTwo()
    clock.now = Date.parse('2001-01-01T00:00:00Z')
    await settle(engine)
    clock.now = server.now
    await settle(engine)
    clock.now += 400 * DAY
    await settle(engine)
    expect([...safe.log.keys()]).toEqual([1, 2])
  })
})

describe('records that do not open', () => {
  const spoil = async (table: { update(k: unknown, change: object): PromiseLike<number> }, k: unknown) =>
    table.update(k, { body: new Uint8Array([1, 2, 3]) })

  it('are left on the disk, and the others open all the same', async () => {
    const { db, safe } = await tablet(new FakeServer())
    await safe.keepDraft('evaluation/a', { remark: '一' })
    await safe.keepDraft('evaluation/b', { remark: '二' })
    await spoil(db.drafts as never, 'evaluation/a')
    const again = await Safe.unlock(db, PIN)
    expect([...again.drafts.keys()]).toEqual(['evaluation/b'])
    expect(again.damaged).toEqual([{ store: 'drafts', k: 'evaluation/a' }])
    expect(await db.drafts.count()).toBe(2)
  })
  it('among the drafts stay as they lie, also where their form is written or sent anew', async () => {
    const { db, safe } = await tablet(new FakeServer())
    for (const k of ['evaluation/a', 'contact/b']) {
      await safe.keepDraft(k, { remark: '一' })
      await spoil(db.drafts as never, k)
    }
    const again = await Safe.unlock(db, PIN)
    await again.keepDraft('evaluation/a', { remark: '二' })
    await again.keepDraft('evaluation/a', { remark: '三' })
    await again.say('record_not_done', notDone('b'), 1, { drafts: { del: ['contact/b'] } })
    const places = ['contact/b damaged', 'evaluation/a damaged']
    expect(again.damaged.map(({ k }) => k).sort()).toEqual(places)
    const last = await Safe.unlock(db, PIN)
    expect([last.damaged.map(({ k }) => k).sort(), last.drafts.get('evaluation/a')]).toEqual([places, { remark: '三' }])
    expect((await db.drafts.bulkGet(places)).map((one) => one?.body)).toEqual([new Uint8Array([1, 2, 3]), new Uint8Array([1, 2, 3])])
  })
  it('among the pulled rows are asked for again', async () => {
    const server = new FakeServer()
    server.rows = visits(3)
    const { db, engine, clock } = await tablet(server)
    await settle(engine)
    await spoil(db.rows as never, 'visit/1')
    const again = await Safe.unlock(db, PIN)
    expect(again.rows.size).toBe(2)
    await settle(engineOf(again, server, clock))
    expect([...again.rows.keys()].sort()).toEqual(['visit/0', 'visit/1', 'visit/2'])
  })
  it('among what became of records are asked for again, and meanwhile nothing is called safe', async () => {
    const server = new FakeServer()
    server.decide = ({ seq }) => (seq === 2 ? { outcome: 'refused', message: '这天已有安排' } : { outcome: 'applied' })
    const { db, safe, engine, clock } = await tablet(server)
    for (const visit of ['a', 'b', 'c']) await safe.say('record_not_done', notDone(visit), 1)
    await settle(engine)
    await spoil(db.outcomes as never, 2)
    const again = await Safe.unlock(db, PIN)
    const entry = again.log.get(2) ?? raise()
    expect([receiptOf(again, entry), again.damaged.length]).toEqual(['only_here', 1])
    await settle(engineOf(again, server, clock))
    expect([receiptOf(again, entry), again.damaged, server.ledger.length]).toEqual(['disputed', [], 3])
  })
  it('of what became of a record that cannot be told again: it is not called safe', async () => {
    const { db, safe, engine } = await tablet(new FakeServer())
    for (const visit of ['a', 'b', 'c']) await safe.say('record_not_done', notDone(visit), 1)
    await settle(engine)
    await spoil(db.outcomes as never, 2)
    await spoil(db.log as never, 1)
    const again = await Safe.unlock(db, PIN)
    expect([receiptOf(again, again.log.get(2) ?? raise()), receiptOf(again, again.log.get(3) ?? raise())]).toEqual(['text_safe', 'all_safe'])
  })
  it('of a picture do not let it read as delivered', async () => {
    const { db, safe, engine } = await tablet(new FakeServer())
    const kept = await photo('v1', randomBytes(500))
    await safe.change({ media: { add: [kept] } })
    const said = await safe.say('submit_evaluation', evaluation('v1', [kept.media]), 1, { media: { meta: [{ ...kept.media, state: 'declared' }] } })
    await settle(engine)
    await db.media.update(kept.media.sha256, { meta: new Uint8Array([1, 2, 3]) })
    expect(receiptOf(await Safe.unlock(db, PIN), said)).toBe('text_safe')
  })
  it('first in the outbox are told as what they are, not as what the server lacks', async () => {
    const { db, safe, clock } = await tablet(new FakeServer())
    for (const visit of ['a', 'b']) await safe.say('record_not_done', notDone(visit), 1)
    await spoil(db.log as never, 1)
    const again = await Safe.unlock(db, PIN)
    await settle(engineOf(again, new FakeServer(), clock))
    expect(again.state.halt).toBe('damaged')
  })
  it('in the outbox stop the line, keep the rest, and do not hammer the server', async () => {
    const server = new FakeServer()
    server.rows = visits(1)
    const { db, safe, clock } = await tablet(server)
    for (const visit of ['a', 'b', 'c']) await safe.say('record_not_done', notDone(visit), 1)
    await spoil(db.log as never, 2)
    const again = await Safe.unlock(db, PIN)
    expect(await settle(engineOf(again, server, clock))).toBe('rest')
    expect([again.state.halt, again.log.size, again.rows.size, server.requests.length]).toEqual(['damaged', 2, 1, 1])
    expect(server.ledger).toEqual([])
  })
})

describe('certificates kept here', () => {
  const paper = (sha256: string) => ({ sha256, handed_over: false })
  const bytes = randomBytes(50)
  const withPaper = async () => {
    const server = new FakeServer()
    server.rows = new Map([['certificate/c1', paper('1')], ['certificate/c2', paper('2')]])
    const made = await tablet(server)
    await settle(made.engine)
    await made.safe.change({ files: { add: [{ k: 'c1', bytes }, { k: 'c2', bytes }] } })
    return { server, ...made }
  }
  it('go when their case leaves the scope', async () => {
    const { server, db, safe, engine } = await withPaper()
    server.rows.delete('certificate/c1')
    await settle(engine)
    expect([[...safe.files], await db.files.toCollection().primaryKeys()]).toEqual([['c2'], ['c2']])
  })
  it('go when another file was issued in their place', async () => {
    const { server, safe, engine } = await withPaper()
    server.rows.set('certificate/c1', paper('3'))
    await settle(engine)
    expect([...safe.files]).toEqual(['c2'])
  })
  it('go when the office knows that they were handed over; one that is fetched afterwards stays', async () => {
    const { server, safe, engine } = await withPaper()
    server.rows.set('certificate/c1', { ...paper('1'), handed_over: true })
    await settle(engine)
    expect([...safe.files]).toEqual(['c2'])
    await safe.change({ files: { add: [{ k: 'c1', bytes }] } })
    server.rows.set('certificate/c2', { ...paper('2'), handed_over: true })
    await settle(engine)
    expect([...safe.files]).toEqual(['c1'])
  })
  it('stay when everything had to be asked for again, page by page', async () => {
    const { server, safe, engine } = await withPaper()
    server.views.clear()
    server.pageRows = 1
    await settle(engine)
    expect([...safe.files].sort()).toEqual(['c1', 'c2'])
  })
  it('are fetched by themselves, and kept only when they are the very file', async () => {
    const { safe } = await withPaper()
    const body = utf8('%PDF-1.7')
    const right = await sha256Hex(body)
    await safe.change({
      files: { del: ['c1', 'c2'] },
      rows: { put: new Map([['certificate/c1', { h: '', d: paper(right) }]]), del: [] },
    })
    expect(wantedFiles(safe).sort()).toEqual(['c1', 'c2'])
    const get = () => Promise.resolve(new Response(body))
    await fetchCertificate(safe, 'c1', get)
    await expect(fetchCertificate(safe, 'c2', get)).rejects.toBeInstanceOf(NotTheFile)
    expect([[...safe.files], await safe.bytesOf('files', 'c1')]).toEqual([['c1'], body])
  })
  it('are not kept where the office has made another one while they came', async () => {
    const { safe, server, engine } = await withPaper()
    const body = utf8('%PDF-1.7')
    server.rows.set('certificate/c1', paper(await sha256Hex(body)))
    await settle(engine)
    await fetchCertificate(safe, 'c1', async () => {
      server.rows.set('certificate/c1', paper('newer'))
      await settle(engine)
      return new Response(body)
    })
    expect([safe.files.has('c1'), wantedFiles(safe)]).toEqual([false, ['c1']])
  })
  it('are kept in the version before where the office has lost the newest one and says what it gives', async () => {
    const { safe } = await withPaper()
    await safe.change({ files: { del: ['c1', 'c2'] } })
    const body = utf8('%PDF-1.7')
    const headers = { 'Repr-Digest': `sha-256=:${base64(await sha256(body))}:` }
    await fetchCertificate(safe, 'c1', () => Promise.resolve(new Response(body, { headers })))
    const torn = () => Promise.resolve(new Response(body.slice(1), { headers }))
    await expect(fetchCertificate(safe, 'c2', torn)).rejects.toBeInstanceOf(NotTheFile)
    expect([...safe.files]).toEqual(['c1'])
  })
})

describe('two tablets with one database', () => {
  it('the copy is found out, and its work is never taken for acknowledged', async () => {
    const server = new FakeServer()
    const { db, safe, engine, clock } = await tablet(server)
    await safe.say('record_not_done', notDone('a'), 1)
    const copy = await Safe.unlock(db, PIN)
    await settle(engine)
    Object.assign(copy, { rev: 2 }) // a copied disk does not share our revision counter
    await safe.say('record_not_done', notDone('b'), 1)
    await settle(engine)
    copy.log.set(2, { ...(safe.log.get(2) ?? raise()), chain: 'f'.repeat(64), args: notDone('mine') as never })
    copy.state = { ...copy.state, lastSeq: 2, chain: 'f'.repeat(64), ackedSeq: 1, ackedChain: safe.log.get(1)?.chain ?? '' }
    Object.assign(copy, { rev: (safe as unknown as { rev: number }).rev })
    expect(await settle(engineOf(copy, server, clock))).toBe('halted')
    expect(copy.state).toMatchObject({ halt: 'fork', ackedSeq: 1 })
  })
})

describe('answers that need a person', () => {
  it.each([
    ['unknown-replica', 410, 'unknown'],
    ['revoked', 403, 'revoked'],
    ['expired-token', 401, 'sign_in'],
    ['fork', 409, 'fork'],
  ])('%s stops the line and keeps the work', async (slug, status, halt) => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    await safe.say('record_not_done', notDone('a'), 1)
    server.script = [{ status, body: { type: `/problems/${slug}` } }]
    expect(await engine.exchange()).toBe('halted')
    expect([safe.state.halt, safe.log.size]).toEqual([halt, 1])
  })
  it('a signed-in-again tablet goes on where it stopped', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    await safe.say('record_not_done', notDone('a'), 1)
    server.script = [{ status: 401, body: { type: '/problems/expired-token' } }]
    await engine.exchange()
    expect(await settle(engine)).toBe('rest')
    expect([safe.state.halt, server.ledger.length]).toEqual([null, 1])
  })
  it('a refusal is kept as an outcome and blocks nothing', async () => {
    const server = new FakeServer()
    server.decide = ({ seq }) => (seq === 1 ? { outcome: 'refused', message: '这天已有安排' } : { outcome: 'applied' })
    const { safe, engine } = await tablet(server)
    await safe.say('record_not_done', notDone('a'), 1)
    await safe.say('record_not_done', notDone('b'), 1)
    expect(await settle(engine)).toBe('rest')
    expect([safe.outcomes.get(1)?.outcome, safe.outcomes.get(2)?.outcome]).toEqual(['refused', 'applied'])
    expect(safe.outcomes.get(1)?.message).toBe('这天已有安排')
  })
  it('an app that is too old still pushes, and is told which version is asked for', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    await safe.say('record_not_done', notDone('a'), 1)
    const honest = server.send
    server.send satisfies unknown
    const old = engineOf(safe, Object.assign(server, {
      send: (async (path, body, token) => {
        const answer = await honest(path, body, token)
        Object.assign(answer.body as object, { pull: null, policy: { min_app: '9.0.0' } })
        return answer
      }) as typeof honest,
    }), { wall: () => 1, mono: () => 1 })
    expect(await old.exchange()).toBe('rest')
    expect([safe.state.ackedSeq, safe.state.policy.min_app, safe.state.complete]).toEqual([1, '9.0.0', false])
    expect(engine).toBeDefined()
  })
})

describe('photos', () => {
  it('are freed only when the server has recomputed them', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    const kept = await photo('v1', randomBytes(500))
    await safe.change({ media: { add: [kept] } })
    const declared = { ...kept.media, state: 'declared' as const }
    await safe.say('submit_evaluation', evaluation('v1', [kept.media]), 1, { media: { meta: [declared] } })
    await settle(engine)
    expect(safe.state.missing).toEqual([kept.media.sha256])
    expect(await safe.bytesOf('media', kept.media.sha256)).toEqual(kept.bytes)
    server.verified.add(kept.media.sha256)
    await settle(engine)
    expect(safe.media.get(kept.media.sha256)?.state).toBe('safe')
    expect(await safe.bytesOf('media', kept.media.sha256)).toBeNull()
  })
  it('of papers travel with their nomination, and are let go with the same receipt', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    const { media, bytes } = await photo('a9', randomBytes(500))
    const paper: Media = { ...media, kind: 'paper', paper: 'id_card', state: 'declared' }
    await safe.change({ media: { add: [{ media: paper, bytes }] } })
    const said = await safe.say('nominate', { ...NOMINATION, media: [declaration(paper)] }, 1)
    expect([said.v, receiptOf(safe, said)]).toEqual([3, 'only_here'])
    await settle(engine)
    expect([safe.state.missing, receiptOf(safe, said)]).toEqual([[media.sha256], 'text_safe'])
    server.verified.add(media.sha256)
    await settle(engine)
    expect([await safe.bytesOf('media', media.sha256), receiptOf(safe, said)]).toEqual([null, 'all_safe'])
  })
  it('do not go on reading all safe when a restored server misses them', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    const kept = await photo('v1', randomBytes(500))
    await safe.change({ media: { add: [kept] } })
    const declared = { ...kept.media, state: 'declared' as const }
    const said = await safe.say('submit_evaluation', evaluation('v1', [kept.media]), 1, { media: { meta: [declared] } })
    server.verified.add(kept.media.sha256)
    await settle(engine)
    expect(receiptOf(safe, said)).toBe('all_safe')
    server.verified.clear()
    await settle(engine)
    expect(receiptOf(safe, said)).toBe('text_safe')
  })
  it('of a draft are never freed by a receipt', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    const kept = await photo('v1', randomBytes(500))
    await safe.change({ media: { add: [kept] } })
    await settle(engine)
    expect(safe.media.get(kept.media.sha256)?.state).toBe('draft')
  })
})

function raise(): never {
  throw new Error('missing')
}
