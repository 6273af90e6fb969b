import { describe, expect, it } from 'vitest'
import { beginning, correcting } from '@/book/correcting'
import { disputes, isOpen, isToHandle, nameIn } from '@/book/disputes'
import type { EvaluationDraft } from '@/book/evaluation'
import { begunNomination, blankNomination } from '@/book/nomination'
import { receiptOf, visits } from '@/book/views'
import { upload, waitingMedia } from '@/sync/uploads'
import { FakeServer } from './support/server'
import { evaluation, NOMINATION, notDone, photo, settle, tablet } from './support/tablet'

const known = () => true

/** A tablet with one visit, of which the server takes in nothing. */
async function refused() {
  const server = new FakeServer()
  const visit = { application: 'a1', state: 'scheduled', on: '2018-06-04', start: '09:00', categories: ['physical'], resident: { name: '任某' }, guardian: null }
  server.rows.set('visit/v1', visit as never)
  const held = await tablet(server)
  await settle(held.engine)
  server.decide = () => ({ outcome: 'refused', message: '请写明理由' })
  return { server, ...held }
}
const visitIn = (safe: Awaited<ReturnType<typeof refused>>['safe']) => (id: string) => visits(safe).find((one) => one.id === id) ?? null

describe('a dispute', () => {
  it('tells the decision of the office and its reason, and then waits no more', async () => {
    const { server, safe, engine } = await refused()
    await safe.say('record_not_done', notDone('v1'), 1)
    await settle(engine)
    expect(disputes(safe).map(isOpen)).toEqual([true])
    const decided = { replica: safe.replica, seq: 1, outcome: 'refused', code: 'x', decision: 'set_aside', reason: '重复' }
    server.rows.set('dispute/d1', decided as never)
    await settle(engine)
    const told = disputes(safe)
    expect(told.map(({ message, decision, reason }) => [message, decision, reason])).toEqual([['请写明理由', 'set_aside', '重复']])
    expect(told.map(isOpen)).toEqual([false])
  })
  it('that was decided waits no more, also once the decision has left the tablet', async () => {
    const { server, safe, engine } = await refused()
    const entry = await safe.say('record_not_done', notDone('v1'), 1)
    const decided = { replica: safe.replica, seq: 1, outcome: 'refused', code: 'x', decision: 'accepted', reason: '属实' }
    server.rows.set('dispute/d1', decided as never)
    await settle(engine)
    server.rows.delete('dispute/d1') // after two weeks, the record itself after thirty days
    await settle(engine)
    expect(disputes(safe).map((one) => [one.decision, one.reason, isOpen(one)])).toEqual([['accepted', '属实', false]])
    expect(receiptOf(safe, entry)).toBe('all_safe')
  })
  it('of another tablet of the same person is told too', async () => {
    const { server, safe, engine } = await refused()
    server.rows.set('dispute/d2', { replica: 'another', seq: 1, outcome: 'parked', code: 'x', decision: null, reason: '' } as never)
    await settle(engine)
    expect(disputes(safe).map(({ entry, outcome }) => [entry, outcome])).toEqual([[null, 'parked']])
  })
  it('that is parked waits for the office and asks nothing of the person here', async () => {
    const { server, safe, engine } = await refused()
    server.decide = ({ seq }) => ({ outcome: seq === 1 ? 'parked' : 'refused' })
    await safe.say('record_not_done', notDone('v1'), 1)
    await safe.say('record_not_done', notDone('v1'), 2)
    await settle(engine)
    expect(disputes(safe).map((one) => [one.outcome, isOpen(one), isToHandle(one)])).toEqual([
      ['refused', true, true],
      ['parked', true, false],
    ])
  })
  it('about a telephone that somebody else changed asks nothing of the person here: both are kept', async () => {
    const { server, safe, engine } = await refused()
    server.decide = () => ({ outcome: 'conflict' })
    const seen = { telephone: '', address: '' }
    const entry = await safe.say('correct_contact', { application: 'a1', to: { ...seen, telephone: '13912345678' }, seen }, 1)
    await settle(engine)
    expect(disputes(safe).map((one) => [isOpen(one), isToHandle(one)])).toEqual([[true, false]])
    expect(receiptOf(safe, entry)).toBe('parked')
    server.decide = () => ({ outcome: 'refused' })
    await safe.say('correct_contact', { application: 'a1', to: { ...seen, telephone: '1' }, seen }, 2)
    await settle(engine)
    expect(disputes(safe).map(isToHandle)).toEqual([true, false])
  })
  it('says whom it is about by its own words where the case is not here any more', async () => {
    const { safe } = await refused()
    const said = await safe.say('submit_evaluation', evaluation('gone', []), 1)
    const byGuardian = await safe.say('submit_evaluation', { ...evaluation('gone', []), consent: { by: 'guardian', name: '任父' } }, 1)
    const named = await safe.say('nominate', NOMINATION, 1)
    const absent = await safe.say('record_not_done', notDone('gone'), 1)
    expect([said, byGuardian, named, absent].map(nameIn)).toEqual(['任某', '', '周小溪', ''])
  })
  it('waits no more once a corrected copy was sent, and both are kept', async () => {
    const { server, safe, engine } = await refused()
    const first = await safe.say('record_not_done', notDone('v1'), 1)
    await settle(engine)
    server.decide = () => ({ outcome: 'applied' })
    const second = await safe.say('record_not_done', { ...notDone('v1'), note: '改过', corrects: first.id }, 2)
    await settle(engine)
    expect(disputes(safe).map(({ correction }) => correction?.seq)).toEqual([second.seq])
    expect([...safe.log.keys()]).toEqual([1, 2])
    expect(disputes(safe).map(isOpen)).toEqual([false])
  })
})

describe('a picture in which the office sees none', () => {
  /** An evaluation that was taken in, but for its photo. */
  async function torn() {
    const held = await refused()
    held.server.decide = () => ({ outcome: 'applied' })
    const { media, bytes } = await photo('v1', new Uint8Array([1]))
    await held.safe.change({ media: { add: [{ media: { ...media, state: 'declared' }, bytes }] } })
    const first = await held.safe.say('submit_evaluation', evaluation('v1', [media]), 1)
    await settle(held.engine)
    await held.safe.change({ media: { meta: [{ ...media, state: 'rejected', told: true }] } })
    return { ...held, first, media }
  }
  const waiting = (safe: Parameters<typeof disputes>[0]) => disputes(safe).map((one) => [one.outcome, isToHandle(one)])

  it('is taken anew with a corrected copy, and what becomes of that one counts', async () => {
    const { server, safe, engine, first } = await torn()
    expect([waiting(safe), receiptOf(safe, first)]).toEqual([[['rejected', true]], 'disputed'])
    server.decide = () => ({ outcome: 'conflict' })
    const anew = await photo('v1', new Uint8Array([2]))
    await safe.change({ media: { add: [{ ...anew, media: { ...anew.media, state: 'declared' } }] } })
    const copy = { ...evaluation('v1', [anew.media]), corrects: first.id }
    const second = await safe.say('submit_evaluation', copy, 2)
    expect([waiting(safe), receiptOf(safe, first)]).toEqual([[['rejected', false]], 'only_here'])
    await settle(engine)
    expect(waiting(safe)).toEqual([['conflict', true], ['rejected', false]])
    const decided = { replica: safe.replica, seq: 2, outcome: 'conflict', code: 'x', decision: 'accepted', reason: '补拍' }
    server.rows.set('dispute/d1', decided as never)
    server.verified.add(anew.media.sha256)
    await settle(engine)
    expect([first, second].map((entry) => receiptOf(safe, entry))).toEqual(['all_safe', 'all_safe'])
    expect(waiting(safe)).toEqual([['conflict', false], ['rejected', false]])
  })
  it('or which it had and lost, is taken anew, unless it is found there after all', async () => {
    const { server, safe, engine } = await refused()
    server.decide = () => ({ outcome: 'applied' })
    const { media, bytes } = await photo('v1', new Uint8Array([1]))
    await safe.change({ media: { add: [{ media: { ...media, state: 'declared' }, bytes }] } })
    const first = await safe.say('submit_evaluation', evaluation('v1', [media]), 1)
    server.verified.add(media.sha256)
    await settle(engine)
    server.verified.clear() // restored to before the photo, which the tablet has let go of
    await settle(engine)
    for (const item of waitingMedia(safe)) expect(await upload(safe, item, () => undefined)).toBe('rejected')
    expect([waiting(safe), receiptOf(safe, first), waitingMedia(safe)]).toEqual([[['rejected', true]], 'disputed', []])
    server.verified.add(media.sha256)
    await settle(engine)
    expect([waiting(safe), receiptOf(safe, first)]).toEqual([[], 'all_safe'])
  })
  it('that cannot be taken anew here waits no more once the office was told', async () => {
    const { safe, first, media } = await torn()
    await safe.change({ media: { meta: [{ ...media, state: 'rejected', told: true, noted: true }] } })
    expect([waiting(safe), receiptOf(safe, first)]).toEqual([[], 'text_safe'])
  })
})

describe('a corrected copy', () => {
  it('of an evaluation begins with everything that was said', async () => {
    const { safe } = await refused()
    const entry = await safe.say('submit_evaluation', { ...evaluation('v1', []), remark: '屋内暗', co_signers: ['c'] }, 1)
    const copy = correcting(entry, visitIn(safe), known, () => 'e2')
    const draft = copy?.draft.value as EvaluationDraft
    expect([copy?.screen, copy?.id, copy?.draft.key]).toEqual(['evaluate', 'v1', 'evaluation/v1'])
    expect([draft.corrects, draft.evaluation, draft.remark, draft.coSigners]).toEqual([entry.id, 'e2', '屋内暗', ['c']])
    expect(draft.parts).toEqual([
      { category: 'physical', answers: { independence: 'none', condition: '1b' }, own: null, reason: '' },
    ])
  })
  it('of a nomination is the form as it was, under the same number, so that only one is ever taken in', async () => {
    const { safe } = await refused()
    const entry = await safe.say('nominate', NOMINATION, 1)
    const copy = correcting(entry, () => null, known, () => 'a10')
    expect(copy?.draft.value).toMatchObject({
      ...{ application: 'a9', corrects: entry.id, name: '周小溪', idNumber: '53010219200508011X', bedridden: true },
      ...{ severity: 2, village: '511302200201', categories: ['physical'], agreed: true, agreedBy: 'guardian', agreedName: '周某' },
      ...{ guardianTelephone: '13912345678', relation: 'parent' },
    })
  })
  it('of a move, or of a cancellation, has the reason that was written', async () => {
    const { safe } = await refused()
    const [seen, visit] = [{ on: '2018-06-04', start: '09:00' }, visitIn(safe)('v1')]
    const moved = await safe.say('move_visit', { visit: 'v1', application: 'a1', on: '2018-06-05', start: '10:00', minutes: 45, seen, reason: '桥断了' }, 1)
    const ended = await safe.say('cancel_visit', { visit: 'v1', application: 'a1', seen, reason: '家属来电' }, 1)
    const value = (entry: typeof moved) => correcting(entry, () => visit, known, () => '')?.draft.value
    expect(value(moved)).toEqual({ corrects: moved.id, on: '2018-06-05', start: '10:00', minutes: 45, reason: '桥断了' })
    expect(value(ended)).toMatchObject({ corrects: ended.id, reason: '家属来电' })
  })
  it('of a visit that came to nothing is about the appointment that was kept, whatever the office has made since', async () => {
    const { server, safe, engine } = await refused()
    const entry = await safe.say('record_not_done', notDone('v1'), 1)
    server.rows.set('visit/v1', Object.assign({}, safe.rows.get('visit/v1')?.d, { on: '2018-06-08', start: '14:00' }) as never)
    await settle(engine)
    const value = correcting(entry, visitIn(safe), known, () => '')?.draft.value
    expect(visitIn(safe)('v1')).toMatchObject({ on: '2018-06-08', start: '14:00' })
    expect(value).toMatchObject({ reason: 'absent', next: 'revisit', seen: { application: 'a1', on: '2018-06-04', start: '09:00' } })
  })
  it('is offered only where the case is still here', async () => {
    const { safe } = await refused()
    const done = await safe.say('record_not_done', notDone('v2'), 1)
    const made = await safe.say('schedule_visit', { visit: 'v3', application: 'a3', on: '2018-06-05', start: '09:00', minutes: 40 }, 1)
    const given = await safe.say('hand_over_certificate', { certificate: 'c', to: 'resident', handed_over_at: '' }, 1)
    for (const entry of [done, made, given]) expect(correcting(entry, visitIn(safe), () => false, () => '')).toBe(null)
    expect(correcting(made, visitIn(safe), known, () => '')).toMatchObject({ screen: 'schedule', id: 'a3' })
  })
  it('overwrites nothing that was begun since', async () => {
    const { safe } = await refused()
    const entry = await safe.say('nominate', NOMINATION, 1)
    const copy = correcting(entry, () => null, known, () => 'a10')
    if (!copy) throw new Error('there is no copy')
    expect(beginning(copy, undefined, false)).toBe(copy.draft.value)
    expect(beginning(copy, { ...blankNomination('a1'), village: '511302200201' }, false)).toBe(copy.draft.value)
    expect(beginning(copy, { name: '别人', idNumber: '' }, true)).toBe(null)
    const begun = { name: '周小溪二', corrects: entry.id }
    expect(beginning(copy, begun, true)).toBe(begun)
    expect(beginning({ ...copy, screen: 'not-done' }, { reason: 'absent' }, true)).toEqual({ reason: 'absent', corrects: entry.id })
  })
  it.each([
    ['with nothing but a telephone number', { ...blankNomination('a1'), telephone: '13912345678' }, []],
    ['with nothing but photographed papers', blankNomination('a1'), ['a1']],
  ])('does not take the place of a nomination %s', async (_name, begun, photographed: string[]) => {
    const { safe } = await refused()
    const entry = await safe.say('nominate', NOMINATION, 1)
    const copy = correcting(entry, () => null, known, () => 'a10')
    await safe.keepDraft('nomination/new', begun)
    for (const owner of photographed) await safe.change({ media: { add: [await photo(owner, new Uint8Array([1]))] } })
    expect(copy && beginning(copy, begun, begunNomination(safe) !== null)).toBe(null)
  })
})
