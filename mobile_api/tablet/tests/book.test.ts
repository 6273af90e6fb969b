import { describe, expect, it, vi } from 'vitest'
import { bringing } from '@/book/bringing'
import { clashes, doubled } from '@/book/calendar'
import { enrolmentCode } from '@/book/codes'
import { addPart, answerAt, dropPart, evidenceFor, findingsOf, isPart, lacks, mayCoSign, newDraft, overallGrade, partResult, readOut, signersBeside, submission, visibleRules, type PartDraft, type Signer } from '@/book/evaluation'
import { identity, isName } from '@/book/identity'
import { blankNomination, isBegun, nominationOf } from '@/book/nomination'
import { keepPaper } from '@/book/papers'
import { dropPicture, standsIn, takeOut, type LeavesOut } from '@/book/pictures'
import { distanceKm } from '@/book/places'
import { clockState, putRight } from '@/book/ready'
import { disputes } from '@/book/disputes'
import { cases, isListed, knowsVillage, left, mayNotRate, receiptOf, townships, visits, type VisitView } from '@/book/views'
import { isOlder } from '@/book/version'
import type { CalendarRow, CaseRow, Place, Policy, VisitRow } from '@/core/wire'
import { FRESH, mediaOf, type Media } from '@/store/records'
import type { Safe } from '@/store/safe'
import { pause } from '@/sync/loop'
import { FakeServer } from './support/server'
import { standard } from './support/standard'
import { evaluation, NOMINATION, notDone, photo, settle, tablet } from './support/tablet'
import { randomBytes } from '@/core/bytes'

const resident = { name: '任某', sex: 'male', birth_on: '1930-03-08', id_number: '', telephone: '', address: '', ethnicity: '汉族', place: null, bedridden: true } as const
const common = { categories: ['physical'], resident, guardian: null, village: '任家祠村', township: '灯台乡', possible_times: [], papers_missing: [] } satisfies Partial<VisitRow>
const visitRow: VisitRow = {
  ...common, application: 'a1', state: 'scheduled', on: '2018-06-04', start: '09:00', minutes: 40, order: 1,
  standard: 'GB/T 26341-2010', evidence: ['portrait'], assessors: [], liaison: null, evaluation: null, media_state: null, not_done: null,
}
const caseRow: CaseRow = { ...common, state: 'accepted' }
const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as never

async function withRows() {
  const server = new FakeServer()
  server.rows = new Map([['visit/v1', json(visitRow)], ['case/a2', json(caseRow)]])
  const made = await tablet(server)
  await settle(made.engine)
  return { server, ...made }
}
const shown = (safe: Parameters<typeof visits>[0]) => visits(safe).map(({ id, on, state, receipt }) => [id, on, state, receipt])

describe('what was said offline shows at once', () => {
  it('a visit scheduled here stands in the list and its case is not offered again', async () => {
    const { safe } = await withRows()
    await safe.say('schedule_visit', { visit: 'v2', application: 'a2', on: '2018-06-05', start: '10:00', minutes: 30 }, 1)
    expect(shown(safe)).toEqual([['v1', '2018-06-04', 'scheduled', null], ['v2', '2018-06-05', 'scheduled', null]])
    expect(cases(safe)).toEqual([])
  })
  it('a moved visit stands on its new day, a cancelled one goes and its case returns', async () => {
    const { safe } = await withRows()
    const seen = { on: '2018-06-04', start: '09:00' }
    await safe.say('move_visit', { visit: 'v1', application: 'a1', on: '2018-06-06', start: '11:00', minutes: 40, seen, reason: '' }, 1)
    expect(shown(safe)).toEqual([['v1', '2018-06-06', 'scheduled', null]])
    await safe.say('cancel_visit', { visit: 'v1', application: 'a1', reason: '家属要求', seen: { on: '2018-06-06', start: '11:00' } }, 1)
    expect(shown(safe)).toEqual([])
    expect(cases(safe).map(({ id }) => id).sort()).toEqual(['a1', 'a2'])
  })
  it('a visit that was scheduled and cancelled here gives its case back', async () => {
    const { safe } = await withRows()
    const slot = { on: '2018-06-05', start: '10:00' }
    await safe.say('schedule_visit', { visit: 'v2', application: 'a2', ...slot, minutes: 30 }, 1)
    await safe.say('cancel_visit', { visit: 'v2', application: 'a2', reason: '填错了', seen: slot }, 2)
    expect([shown(safe).length, cases(safe).map(({ id }) => id)]).toEqual([1, ['a2']])
    await safe.say('schedule_visit', { visit: 'v3', application: 'a2', ...slot, minutes: 30 }, 3)
    expect([shown(safe).length, cases(safe)]).toEqual([2, []])
  })
  it('what the office has is called “only here” no more, also where a full disk took no new row', async () => {
    const { safe, engine } = await withRows()
    const waiting = () => visits(safe).map(({ id, pending }) => [id, pending])
    await safe.say('move_visit', { visit: 'v1', application: 'a1', on: '2018-06-06', start: '11:00', minutes: 40, seen: { on: '2018-06-04', start: '09:00' }, reason: '' }, 1)
    await safe.say('schedule_visit', { visit: 'v2', application: 'a2', on: '2018-06-05', start: '10:00', minutes: 30 }, 1)
    const seen = { telephone: '', address: '' }
    await safe.say('correct_contact', { application: 'a1', to: { ...seen, address: '桥头' }, seen }, 1)
    expect(waiting()).toEqual([['v2', true], ['v1', true]])
    await settle(engine)
    await safe.change({ state: { settledSeq: 0 } })
    expect(waiting()).toEqual([['v2', false], ['v1', false]])
  })
  it('what the server refused is not shown as done', async () => {
    const { server, safe, engine } = await withRows()
    server.decide = () => ({ outcome: 'refused', message: '路不通' })
    await safe.say('move_visit', { visit: 'v1', application: 'a1', on: '2018-06-06', start: '11:00', minutes: 40, seen: { on: '', start: '' }, reason: '' }, 1)
    await settle(engine)
    expect(shown(safe)).toEqual([['v1', '2018-06-04', 'scheduled', null]])
    expect(disputes(safe).map(({ outcome, message }) => [outcome, message])).toEqual([['refused', '路不通']])
  })
})

describe('work begun on a case that has left', () => {
  it('stays reachable, with what was seen when it was begun', async () => {
    const { server, safe, engine } = await withRows()
    const [visit] = visits(safe)
    await safe.keepDraft('evaluation/v1', { ...newDraft(visit ?? raise(), 'e1'), seen: visit })
    expect(left(safe.drafts, visits(safe))).toEqual([])
    server.rows.delete('visit/v1')
    await settle(engine)
    expect([visits(safe), left(safe.drafts, visits(safe)).map(({ id, resident }) => [id, resident.name])]).toEqual([[], [['v1', '任某']]])
  })
})

describe('a telephone that is being corrected as its case leaves', () => {
  it('stays reachable too; earlier versions kept no visit beside it', async () => {
    const { server, safe, engine } = await withRows()
    const [visit] = visits(safe)
    const seen = { telephone: '', address: '' }
    await safe.keepDraft('contact/v1', { telephone: '139', address: '', seen, of: visit })
    await safe.keepDraft('contact/v0', { telephone: '139', address: '', seen })
    expect(left(safe.drafts, visits(safe))).toEqual([])
    server.rows.delete('visit/v1')
    await settle(engine)
    expect(left(safe.drafts, visits(safe)).map(({ id }) => id)).toEqual(['v1'])
  })
})

describe('a report of a visit that came to nothing, begun on a case that has left', () => {
  it('stays reachable too, and is listed once', async () => {
    const { server, safe, engine } = await withRows()
    const [visit] = visits(safe)
    await safe.keepDraft('not-done/v1', { reason: 'absent', next: 'revisit', note: '门锁着', seen: visit })
    server.rows.delete('visit/v1')
    await settle(engine)
    expect(left(safe.drafts, visits(safe)).map(({ id }) => id)).toEqual(['v1'])
    await safe.keepDraft('evaluation/v1', { ...newDraft(visit ?? raise(), 'e1'), seen: visit })
    expect(left(safe.drafts, visits(safe)).map(({ id }) => id)).toEqual(['v1'])
  })
})

describe('a photo of a paper', () => {
  it('is on the disk under its own nomination before the tablet knows where it is', async () => {
    const { safe } = await withRows()
    const { media, bytes } = await photo('a9', randomBytes(100))
    let found: (place: Place) => void = () => undefined
    await keepPaper(safe, { ...media, kind: 'paper', paper: 'id_card' }, bytes, new Promise((done) => (found = done)))
    expect(safe.media.get(media.sha256)).toMatchObject({ owner: 'a9', place: null })
    found({ lat: 30.8, lon: 106.1, accuracy_m: 9 })
    await vi.waitFor(() => expect(safe.media.get(media.sha256)?.place).toEqual({ lat: 30.8, lon: 106.1, accuracy_m: 9 }))
  })
  it('that was sent meanwhile stays as it was declared', async () => {
    const { safe } = await withRows()
    const { media, bytes } = await photo('a9', randomBytes(100))
    let found: (place: Place) => void = () => undefined
    await keepPaper(safe, media, bytes, new Promise((done) => (found = done)))
    await safe.change({ media: { meta: [{ ...media, state: 'declared' }] } })
    found({ lat: 30.8, lon: 106.1, accuracy_m: 9 })
    await new Promise((done) => setTimeout(done, 50))
    expect(safe.media.get(media.sha256)).toMatchObject({ state: 'declared', place: null })
  })
})

describe('a picture of a form', () => {
  const declare = (media: Media) => ({ media: { meta: [{ ...media, state: 'declared' as const }] } })
  const sayAll = (safe: Safe) =>
    safe.sayInTurn('submit_evaluation', 1, () => {
      const media = [...safe.media.values()]
      return { args: evaluation('v1', media), beside: { media: { meta: media.map((one) => ({ ...one, state: 'declared' as const })) } } }
    })
  it('that is taken away while the form is sent is either in neither or in both', async () => {
    const { safe } = await withRows()
    const [first, second] = [await photo('v1', randomBytes(100)), await photo('v1', randomBytes(100))]
    await safe.change({ media: { add: [first, second] } })
    const before = dropPicture(safe, first.media)
    const saying = sayAll(safe)
    const after = dropPicture(safe, second.media)
    const said = mediaOf(await saying).map(({ sha256 }) => sha256)
    await Promise.all([before, after])
    expect([said, [...safe.media.keys()]]).toEqual([[second.media.sha256], [second.media.sha256]])
    expect(await safe.bytesOf('media', second.media.sha256)).toEqual(second.bytes)
  })
  it('that was taken just before is sent with it', async () => {
    const { safe } = await withRows()
    const taken = await photo('v1', randomBytes(100))
    const keeping = safe.change({ media: { add: [taken] } })
    const said = await sayAll(safe)
    await keeping
    expect(mediaOf(said).length).toBe(1)
  })
  it('that was declared is left out of the corrected copy, and stays for the first', async () => {
    const { safe } = await withRows()
    const kept = await photo('v1', randomBytes(100))
    await safe.change({ media: { add: [kept] } })
    await safe.say('submit_evaluation', evaluation('v1', [kept.media]), 1, declare(kept.media))
    const copy: LeavesOut = {}
    const held = () => safe.media.get(kept.media.sha256) ?? raise()
    expect(standsIn(held(), copy)).toBe(true)
    await takeOut(safe, copy, held())
    expect(standsIn(held(), copy)).toBe(false)
    expect(await safe.bytesOf('media', kept.media.sha256)).toEqual(kept.bytes)
  })
  it('is a signature only of those who sign it as the form stands now', async () => {
    const { media } = await photo('v1', randomBytes(100))
    const visit = { ...visitRow, id: 'v1', receipt: null, pending: false } as VisitView
    const draft = { ...newDraft(visit, 'e1'), consentBy: 'guardian' as const, coSigners: ['b'] }
    const signers = [signs('me', 'physical'), signs('b', 'physical')]
    const signed = (kind: Media['kind'], signer: string | null) => isPart({ ...media, kind, signer }, draft, signers, 'physical 1')
    expect(['me', 'b', 'a'].map((one) => signed('signature_assessor', one))).toEqual([true, true, false])
    expect(['guardian', 'resident', null].map((one) => signed('signature_resident', one))).toEqual([true, false, true])
    expect(isPart({ ...media, state: 'rejected' }, draft, signers, 'physical 1')).toBe(false)
  })
  it('is a signature only under the result that was read out before it', async () => {
    const { media } = await photo('v1', randomBytes(100))
    const draft = newDraft({ ...visitRow, id: 'v1', receipt: null, pending: false }, 'e1')
    const under = (said: object) => isPart({ ...media, kind: 'signature_assessor', signer: 'me', ...said }, draft, [signs('me')], 'physical 2')
    expect([{ said: 'physical 2' }, { said: 'physical 1' }, {}].map(under)).toEqual([true, false, true])
  })
  it('is a signature only of whoever agrees by the name under which it was given', async () => {
    const { media } = await photo('v1', randomBytes(100))
    const draft = { ...newDraft({ ...visitRow, id: 'v1', receipt: null, pending: false }, 'e1'), consentName: '冯小山 ' }
    const under = (said: object) => isPart({ ...media, kind: 'signature_resident', signer: 'resident', ...said }, draft, [], '')
    expect([{ name: '冯小山' }, { name: '冯大山' }, {}].map(under)).toEqual([true, false, true])
  })
})

describe('the villages to nominate in', () => {
  const dengtai = { name: '灯台乡', villages: [{ code: '511302201202', name: '任家祠村' }, { code: '511302201201', name: '灯台村' }] }
  const longgui = { name: '龙桂乡', villages: [{ code: '511302200201', name: '龙桂村' }] }
  const pulled = () => {
    const rows = [['township/511302201000', dengtai], ['visit/v1', visitRow], ['township/511302200000', longgui]] as const
    return townships({ rows: new Map(rows.map(([key, d]) => [key, { h: '', d: json(d) }])) })
  }
  it('stand by township, both in the order of their codes', () => {
    expect(pulled().map(({ code, name, villages }) => [code, name, villages.map((village) => village.name)])).toEqual([
      ['511302200000', '龙桂乡', ['龙桂村']],
      ['511302201000', '灯台乡', ['灯台村', '任家祠村']],
    ])
  })
  it.each([
    ['511302201202', true],
    ['511302201000', false],
    ['', false],
  ])('hold %j: %j', (code, known) => expect(knowsVillage(pulled(), code)).toBe(known))
  it('are none before the first sync', () => expect(townships({ rows: new Map() })).toEqual([]))
})

describe('a receipt', () => {
  it('goes from only here to text safe to all safe, each by the server', async () => {
    const { server, safe, engine } = await withRows()
    const kept = await photo('v1', randomBytes(100))
    await safe.change({ media: { add: [kept] } })
    const entry = await safe.say('submit_evaluation', evaluation('v1', [kept.media]), 1, { media: { meta: [{ ...kept.media, state: 'declared' }] } })
    expect(receiptOf(safe, entry)).toBe('only_here')
    await settle(engine)
    expect(receiptOf(safe, entry)).toBe('text_safe')
    server.verified.add(kept.media.sha256)
    await settle(engine)
    expect(receiptOf(safe, entry)).toBe('all_safe')
  })
  it('is told to be with the office when it was parked', async () => {
    const { server, safe, engine } = await withRows()
    server.decide = () => ({ outcome: 'parked' })
    const entry = await safe.say('record_not_done', notDone('v1'), 1)
    await settle(engine)
    expect(receiptOf(safe, entry)).toBe('parked')
  })
})

describe('a slot', () => {
  const slot = { on: '2018-06-06', start: '09:00', minutes: 40 }
  const now = Date.parse('2018-06-04T01:00:00Z')
  const days = (...non_working: string[]): ((year: string) => CalendarRow) => () => ({ non_working })
  const open = days()
  const busy = { ...visitRow, id: 'x', receipt: null, pending: false, on: '2018-06-06', start: '09:30' } as VisitView
  it.each([
    ['suits when nothing speaks against it', slot, [], [], open, []],
    ['is in the past', { ...slot, on: '2018-06-01' }, [], [], open, ['past']],
    ['is over since an hour', { ...slot, on: '2018-06-04', start: '08:00' }, [], [], open, ['hour_past']],
    ['is later today', { ...slot, on: '2018-06-04' }, [], [], open, []],
    ['is on a day of rest', slot, [], [], days('2018-06-06'), ['not_working']],
    ['is in a year whose calendar is not loaded', slot, [], [], () => null, ['calendar_missing']],
    ['is when the family is away', slot, [], [{ weekday: 2, from: '14:00', to: '17:00' }], open, ['family']],
    ['runs past the family\'s time', slot, [], [{ weekday: 2, from: '08:00', to: '09:30' }], open, ['family_leaves']],
    ['begins as the family leaves', slot, [], [{ weekday: 2, from: '08:00', to: '09:00' }], open, ['family_leaves']],
    ['runs past one of the family\'s times only', slot, [], [{ weekday: 2, from: '08:00', to: '09:30' }, { weekday: 2, from: '09:00', to: '12:00' }], open, []],
    ['is within the family\'s time', slot, [], [{ weekday: 2, from: '09:00', to: '09:40' }], open, []],
    ['meets another visit', slot, [busy], [], open, ['double']],
    ['ends as another begins', { ...slot, minutes: 30 }, [busy], [], open, []],
  ] as const)('%s', (_name, at, others, possible, calendar, expected) => {
    expect(clashes(at, others, possible, calendar, now)).toEqual(expected)
  })
})

describe('who rates', () => {
  const visit = { ...visitRow, id: 'v', receipt: null, pending: false, nominated_by: 'n' } as VisitView
  it.each([
    ['an assessor may', 'assessor', 'd', {}, false, null],
    ['a liaison may not', 'liaison', 'd', {}, false, 'role'],
    ['the one who nominated may not', 'assessor', 'n', {}, false, 'nominator'],
    ['nobody rates a visit that is over', 'assessor', 'd', { state: 'not_done' }, false, 'over'],
    ['what was begun is finished', 'assessor', 'd', { state: 'done' }, true, null],
  ] as const)('%s', (_name, role, id, change, begun, lack) => {
    expect(mayNotRate({ ...visit, ...change } as VisitView, { id, role }, begun)).toBe(lack)
  })
})

describe('a visit of an earlier day', () => {
  it.each([
    ['that is not done', 'scheduled', false, true],
    ['that is done', 'done', false, false],
    ['that a colleague has done, with work begun here', 'done', true, true],
  ] as const)('%s', (_name, state, begun, listed) => {
    const visit = { ...visitRow, id: 'v', receipt: null, pending: false, state } as VisitView
    expect(isListed(visit, '2018-06-05', begun)).toBe(listed)
    expect(isListed(visit, '2018-06-04', begun)).toBe(true)
  })
})

describe('a day in the calendar', () => {
  const at = (id: string, start: string, assessors: string[], more: Partial<VisitView> = {}) =>
    ({ ...visitRow, id, start, assessors, receipt: null, pending: false, ...more }) as VisitView
  it.each([
    ['one after another', [at('a', '09:00', ['d']), at('b', '09:40', ['d'])], []],
    ['two homes at once', [at('a', '09:00', ['d']), at('b', '09:30', ['d']), at('c', '11:00', ['d'])], ['a', 'b']],
    ['two doctors at once', [at('a', '09:00', ['d']), at('b', '09:30', ['e'])], []],
    ['one scheduled here and not sent', [at('a', '09:00', ['d']), at('b', '09:30', [])], ['a', 'b']],
    ['one that is over', [at('a', '09:00', ['d'], { state: 'done' }), at('b', '09:30', ['d'])], []],
  ])('%s', (_name, visits, expected) => {
    expect(doubled(visits).map(({ id }) => id)).toEqual(expected)
  })
})

describe('the form', () => {
  const part = (category: PartDraft['category'], answers: PartDraft['answers'], more: Partial<PartDraft> = {}): PartDraft => ({ category, answers, own: null, reason: '', ...more })
  const names = (p: PartDraft, age = 40) => visibleRules(p, standard(), age).map(({ name }) => name)
  it.each([
    ['asks for nothing more before a condition is chosen', part('physical', {}), ['condition']],
    ['asks a measure for a condition that measures', part('physical', { condition: '4b' }), ['independence', 'condition', 'leg_difference_mm']],
    ['keeps both angles while one is typed', part('physical', { condition: '4d', kyphosis_deg: '71' }), ['independence', 'condition', 'kyphosis_deg', 'scoliosis_deg']],
  ])('%s', (_name, given, expected) => expect(names(given)).toEqual(expected))
  it('asks a child of six for the DQ and an adult for the IQ', () => {
    expect(names(part('intellectual', {}), 6)).toEqual(['dq', 'whodas'])
    expect(names(part('intellectual', {}), 7)).toEqual(['iq', 'adaptive', 'whodas'])
    expect(names(part('intellectual', { dq: '73' }), 6)).toEqual(['dq', 'adaptive', 'whodas'])
  })
  it('sends no answer that is no longer asked for', () => {
    const changed = part('physical', { condition: '1b', independence: 'none', leg_difference_mm: '60' })
    expect(findingsOf(changed, standard(), 40)).toEqual({ condition: '1b', independence: 'none' })
  })
  it.each([
    ['０．０５', 0.05],
    [' 0.05 ', 0.05],
    ['CF', 'CF'],
    ['5e-2', '5e-2'],
    ['', undefined],
  ])('reads %j as %j', (typed, value) => {
    expect(findingsOf(part('vision', { acuity_right: typed }), standard(), 40).acuity_right).toEqual(value)
  })
  it('reads "reaches level 4" as an answer and not as a gap', () => {
    const result = partResult(part('speech', { intelligibility_percent: '80', expression_below_level: 'null' }), standard(), 40)
    expect([result.problem, result.grading?.grade, result.needsDecision]).toEqual([null, null, false])
  })
  it('leaves a disagreement to the doctor, who must give a grade and a reason', () => {
    const given = part('speech', { intelligibility_percent: '5', expression_below_level: '3' })
    expect(partResult(given, standard(), 40)).toMatchObject({ needsDecision: true, grade: null })
    expect(partResult({ ...given, own: 2 }, standard(), 40)).toMatchObject({ needsDecision: false, needsReason: true, grade: 2 })
    expect(partResult({ ...given, own: 2, reason: '复测一致' }, standard(), 40)).toMatchObject({ needsReason: false, grade: 2 })
  })
  it('takes the most severe of two that are met, and no grade where one alone is', () => {
    const vision = part('vision', { acuity_right: '0.2', acuity_left: '0.2' })
    const hearing = part('hearing', { right_db: ['85', '85', '85', '85'], left_db: ['85', '85', '85', '85'] })
    const well = part('hearing', { right_db: ['10', '10', '10', '10'], left_db: ['10', '10', '10', '10'] })
    const results = (...parts: PartDraft[]) => parts.map((one) => partResult(one, standard(), 40))
    expect(overallGrade(results(vision, hearing), standard())).toBe(2)
    expect(overallGrade(results(vision, well), standard())).toBeNull()
    expect(overallGrade(results(vision), standard())).toBe(4)
  })
  const blind = part('vision', { acuity_right: '0.2', acuity_left: '0.2' })
  const deaf = part('hearing', { right_db: ['85', '85', '85', '85'], left_db: ['85', '85', '85', '85'] })
  const resultsOf = (parts: PartDraft[]) => parts.map((one) => partResult(one, standard(), 40))
  const lacking = (parts: PartDraft[], signers: Signer[], what: string, policy?: Policy) => {
    const draft = { ...newDraft({ ...visitRow, id: 'v1', receipt: null, pending: false }, 'e1'), parts }
    return lacks(draft, resultsOf(parts), [], [], 40, signers, signersBeside(policy)).filter((lack) => lack.what === what).length
  }
  it('waits for as many who sign beside as the office says, and for one where it says nothing', () => {
    const all = ['me', 'you', 'they'].map((id) => signs(id, 'vision'))
    const asked = [undefined, {}, { co_signers: 0 }, { co_signers: 1 }, { co_signers: 2 }].map((policy) =>
      [1, 2, 3].map((count) => lacking([blind], all.slice(0, count), 'co_signer', policy)),
    )
    expect(asked).toEqual([[1, 0, 0], [1, 0, 0], [0, 0, 0], [1, 0, 0], [1, 1, 0]])
  })
  it('does not let somebody of whom one category of two is met be found to meet none', () => {
    const hears = part('hearing', { right_db: ['10', '10', '10', '10'], left_db: ['10', '10', '10', '10'] })
    const all = [signs('me', 'vision', 'hearing')]
    const asked = [[blind, hears], [blind, deaf], [hears], [blind, part('hearing', {})]].map((parts) => lacking(parts, all, 'only_one'))
    expect(asked).toEqual([1, 0, 0, 0])
  })
  it('is signed by doctors of whom one is qualified for each category, and not by who nominated', () => {
    const parts = [blind, deaf]
    const colleagues = [signs('ear', 'hearing'), signs('legs', 'physical'), signs('nominator', 'hearing')]
    expect(mayCoSign(colleagues, parts, 'nominator').map(({ id }) => id)).toEqual(['ear'])
    const [eye, ear] = [signs('me', 'vision'), signs('ear', 'hearing')]
    expect([[eye], [eye, ear], [eye, signs('b', 'vision')]].map((signers) => [lacking(parts, signers, 'qualified'), lacking(parts, signers, 'co_signer')])).toEqual([
      [1, 1],
      [0, 0],
      [1, 0],
    ])
  })
  it('gives no reason for a grade of the doctor\'s own that was taken back', () => {
    const parts = [{ ...blind, reason: '应为三级' }, { ...deaf, own: 1 as const, reason: '复测更重' }]
    const draft = { ...newDraft({ ...visitRow, id: 'v1', receipt: null, pending: false }, 'e1'), parts }
    const said = submission(draft, 'case', resultsOf(parts), [], standard(), 40, '')
    expect(said.parts.map(({ grade, reason }) => [grade, reason])).toEqual([[4, ''], [1, '复测更重']])
    expect(readOut(resultsOf(parts))).toBe('vision 4,hearing 1')
  })
  it('gives a category that was removed by a slip back as it was', () => {
    const draft = { ...newDraft({ ...visitRow, id: 'v1', receipt: null, pending: false }, 'e1'), parts: [blind, deaf] }
    dropPart(draft, 1)
    expect(draft.parts).toEqual([blind])
    addPart(draft, 'hearing')
    addPart(draft, 'speech')
    expect(draft.parts).toEqual([blind, deaf, part('speech', {})])
    dropPart(draft, 2)
    addPart(draft, 'speech')
    expect(draft.parts.map(({ category }) => category)).toEqual(['vision', 'hearing', 'speech'])
  })
  it.each([
    ['of an adult', {}, 40, 'resident', '任某'],
    ['of a child', {}, 8, 'guardian', ''],
    ['in a category that asks for a guardian', { categories: ['mental'] }, 40, 'guardian', ''],
    ['where the guardian is known', { guardian: { name: '任父', telephone: '', relation: '父亲' } }, 8, 'guardian', '任父'],
  ] as const)('begins with the consent of who may give it: %s', (_name, change, age, by, name) => {
    const begun = newDraft({ ...visitRow, id: 'v1', receipt: null, pending: false, ...change } as VisitView, 'e1', age)
    expect([begun.consentBy, begun.consentName]).toEqual([by, name])
  })
  it('names everything that is missing, in the order of the steps', () => {
    const draft = newDraft({ ...visitRow, id: 'v1', receipt: null, pending: false }, 'e1')
    const results = draft.parts.map((one) => partResult(one, standard(), 88))
    const evidence = evidenceFor(['portrait'], draft.parts)
    expect(lacks(draft, results, [], evidence, 88, [signs('me', 'physical')], 1).map(({ what }) => what)).toEqual([
      'arrival', 'identity', 'consent', 'findings', 'photo', 'photo', 'co_signer', 'signature_resident', 'signature_assessor',
    ])
  })
})

describe('a row of numbers', () => {
  it('takes one of them and keeps the others, also where nothing was typed yet', () => {
    const rule = { name: 'thresholds', kind: 'numbers', labels: ['500 Hz', '1000 Hz', '2000 Hz'] } as never
    expect(answerAt(rule, undefined, 1, '60')).toEqual(['', '60', ''])
    expect(answerAt(rule, ['40', '60', ''], 2, '9')).toEqual(['40', '60', '9'])
  })
})

describe('a scanned code', () => {
  it.each([
    ['https://outreach.example/tablet/#/enrol/ABCD-EF23', 'ABCD-EF23'],
    ['abcd-ef23', 'ABCD-EF23'],
    [' ABCDEF23 ', 'ABCDEF23'],
    ['https://example.org/', null],
    ['ABCD-EF2', null],
    ['5113021950030200', null],
  ])('%s is %s', (scanned, code) => expect(enrolmentCode(scanned)).toBe(code))
})

describe('small rules', () => {
  it.each([
    ['0.9.1', '0.10.0', true],
    ['1.0.0', '1.0.0', false],
    ['1.2.0', '1.1.9', false],
  ])('version %s is older than %s: %s', (mine, least, older) => expect(isOlder(mine, least)).toBe(older))
  it('a day packs everything once: a cloth, a full battery, and by category', () => {
    const day = [{ categories: ['vision', 'physical'] }, { categories: ['physical'] }] as const
    expect(bringing(day)).toEqual(['white_cloth', 'camera', 'vision', 'physical'])
  })
  it.each([
    ['53010219200508011X', { value: '53010219200508011X', birthOn: '1920-05-08', sex: 'male' }],
    ['\u202d530102 1920 0508 011x\u202c', { value: '53010219200508011X', birthOn: '1920-05-08', sex: 'male' }],
    ['123456197011110013', null],
    ['530102192013080110', null],
    ['5301021920050801', null],
  ])('the ID number %s', (typed, expected) => expect(identity(typed)).toEqual(expected))
  it.each([
    ['周小溪', true],
    ['𠀀·買買提•艾力', true],
    ['周小 溪', true],
    ['周小xi', false],
    ['周小溪2', false],
    ['  ', false],
  ])('the name %s can be one: %s', (typed, can) => expect(isName(typed)).toBe(can))
  it('a nomination begins with something written, and not with what stands there by itself', () => {
    const blank = { ...blankNomination('a1'), village: '511302201202' }
    expect([blank, { ...blank, ethnicity: '汉族' }, { ...blank, name: '周' }].map(isBegun)).toEqual([false, false, true])
  })
  it('who asks for themselves is called as the corrected name says', () => {
    const asked = (by: 'resident' | 'guardian') => nominationOf({ ...NOMINATION, guardian: null, consent: { by, name: '周某' } }).agreedName
    expect([asked('resident'), asked('guardian')]).toEqual(['', '周某'])
  })
  it('the distance from the district centre to Dengtai', () => {
    expect(distanceKm({ lat: 30.7988, lon: 106.0884 }, { lat: 31.02, lon: 106.1 })).toBeCloseTo(24.62, 1)
  })
  it.each([
    [0, 'real', 'fine'],
    [-120_000, 'real', 'fine'],
    [120_001, 'real', 'off'],
    [-120_001, undefined, 'off'],
    [0, 'simulated', 'demo'],
    [-8 * 365 * 86_400_000, 'simulated', 'demo'],
  ] as const)('a clock %d ms off a %s one is %s', (offsetMs, clock, state) => {
    expect(clockState({ offsetMs, policy: clock ? { clock } : {} })).toBe(state)
  })
  it.each([
    ['was ahead and is put right goes on from there', -3_600_000, 500, undefined, { syncedAt: 0, offsetMs: 0 }],
    ['goes back further than it was ahead, as after an empty battery, is not believed', -3_600_000, -500, undefined, null],
    ['is as it was at the last word is not', -3_600_000, 3_600_500, undefined, null],
    ['trembles is not', -3_600_000, 3_599_500, undefined, null],
    ['was behind is not', 3_600_000, -3_600_500, undefined, null],
    ['is to differ, in a demo, is not', -3_600_000, 500, 'simulated', null],
  ] as const)('a clock that %s', (_what, offsetMs, wall, clock, found) => {
    // The server's time was 0 at the last word with it.
    const state = { ...FRESH, offsetMs, syncedAt: -offsetMs, policy: clock ? { clock } : {} }
    expect(putRight(state, wall)).toEqual(found)
  })
  it('pauses grow to five minutes and are spread by chance', () => {
    expect([pause(0, 1), pause(1, 1), pause(2, 1), pause(20, 1)]).toEqual([60_000, 2000, 4000, 300_000])
    expect(pause(20, 0)).toBe(150_000)
  })
})

function signs(id: string, ...categories: Signer['categories']): Signer {
  return { id, full_name: '', categories }
}
function raise(): never {
  throw new Error('missing')
}
