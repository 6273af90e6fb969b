/// <reference types="vite/client" />
/**
 * A day of two tablets by the engine of this release, told to the server that listens and writes it down.
 *
 * Run by `tests/mobile_api/recording.py` when a release is made; what it said is replayed for ever.
 */
import { expect, it } from 'vitest'
import { sha256Hex, unbase64 } from '@/core/bytes'
import { deviceClock } from '@/core/clock'
import { VERSIONS } from '@/core/wire'
import { TabletDatabase } from '@/store/database'
import type { Media } from '@/store/records'
import { Safe } from '@/store/safe'
import { Engine, outbox } from '@/sync/engine'
import { enrolWith } from '@/sync/enrolment'
import { SyncLoop } from '@/sync/loop'
import { send, type Send } from '@/sync/transport'
import { Xhr } from '../line/xhr'

const { OUTREACH_LINE, OUTREACH_CODES, OUTREACH_PICTURES, OUTREACH_NOMINATE } = process.env as Record<string, string>
const codes = (OUTREACH_CODES ?? '').split(',')
const pictures = (OUTREACH_PICTURES ?? '').split(',').map(unbase64)
const PIN = '246813'
const ROUNDS = 1000 // the recording's own: the app never asks for fewer than 600,000
const health = () => Promise.resolve({ persisted: true, free_mb: 1000 })

const there = globalThis.fetch
globalThis.fetch = (path, init) => {
  const { cache, redirect, ...rest } = init ?? {}
  void [cache, redirect] // a browser's words
  return there(new URL(String(path), OUTREACH_LINE), rest)
}
Object.assign(globalThis, { XMLHttpRequest: Xhr, location: new URL(OUTREACH_LINE ?? '') })

type HandIn = (safe: Safe, send: Send, reason: string, onProgress: () => void) => Promise<{ end: string }>
/** Releases before hand-ins have no such module. */
const handIns = import.meta.glob<{ handIn: HandIn }>('../../src/sync/handin.ts')
interface VisitRow {
  on: string
  start: string
  application: string
  resident: { telephone: string; address: string }
}
/** Releases before it cannot say so. */
const saysContacts = 'correct_contact' in VERSIONS

async function enrolled(name: string, code: string): Promise<Safe> {
  const safe = await Safe.create(new TabletDatabase(name), PIN, deviceClock.wall(), ROUNDS)
  expect(await enrolWith(safe, send, deviceClock, { code, label: name })).toBe(null)
  await talk(safe)
  return safe
}

async function talk(safe: Safe): Promise<void> {
  const loop = new SyncLoop(safe, new Engine(safe, send, deviceClock, health))
  await loop.nudge()
  loop.stop()
}

async function picture(owner: string, kind: Media['kind'], signer: string | null, at: string): Promise<{ media: Media; bytes: Uint8Array<ArrayBuffer> }> {
  const bytes = pictures.pop()
  if (!bytes) throw new Error('too few pictures')
  const media = {
    ...{ sha256: await sha256Hex(bytes), kind, signer, owner, taken_at: at, size: bytes.length, type: 'image/jpeg' },
    ...{ place: null, state: 'declared', uploadUrl: null },
  } as Media
  return { media, bytes }
}

it('says everything that a tablet of this release can say', { timeout: 60_000 }, async () => {
  const safe = await enrolled('assessor', codes[0] ?? '')
  const wall = () => deviceClock.wall() + safe.state.offsetMs
  const at = () => new Date(wall()).toISOString()
  const say = (name: string, args: object, beside = {}) => safe.say(name as 'move_visit', args as never, wall(), beside)
  const ids = [...safe.rows.keys()].filter((key) => key.startsWith('visit/')).sort()
  const rowOf = (index: number) => safe.rows.get(ids[index] ?? '')?.d as unknown as VisitRow
  const [moved, disputed, cancelled, absent, done] = ids.map((key) => key.slice('visit/'.length))
  const me = safe.session?.user.id ?? ''
  const other = [...safe.rows.keys()].find((key) => key.startsWith('colleague/'))?.slice('colleague/'.length) ?? ''
  const seen = ({ on, start }: VisitRow) => ({ on, start })
  const of = (row: VisitRow) => (VERSIONS.move_visit > 1 ? { application: row.application } : {})

  await say('move_visit', { ...of(rowOf(0)), visit: moved, on: '2018-06-21', start: '10:00', minutes: 40, seen: seen(rowOf(0)), reason: '河水涨了' })
  await say('move_visit', { ...of(rowOf(1)), visit: disputed, on: '2018-06-22', start: '10:00', minutes: 40, seen: { on: '2018-06-01', start: '09:00' }, reason: '' })
  await say('cancel_visit', { ...of(rowOf(2)), visit: cancelled, reason: '已搬走', seen: seen(rowOf(2)) })
  const { application, resident } = rowOf(4)
  const stood = { telephone: resident.telephone, address: resident.address }
  if (saysContacts) await say('correct_contact', { application, to: { ...stood, address: '桥头第二家' }, seen: stood })
  const kept = { application: rowOf(3).application, seen: seen(rowOf(3)) }
  await say('record_not_done', { ...(VERSIONS.record_not_done > 1 && kept), visit: absent, reason: 'absent', next_step: 'revisit', note: '', recorded_at: at(), place: null })
  const kinds: [Media['kind'], string | null][] = [
    ...(['portrait', 'whole_body', 'affected_part', 'environment', 'signature_resident'] as const).map((kind): [Media['kind'], null] => [kind, null]),
    ...[me, other].map((signer): [Media['kind'], string] => ['signature_assessor', signer]),
  ]
  for (const visit of [done, crypto.randomUUID()]) {
    const taken = []
    for (const [kind, signer] of visit === done ? kinds : kinds.slice(0, 1)) taken.push(await picture(visit ?? '', kind, signer, at()))
    const declared = taken.map(({ media: { sha256, kind, size, type, taken_at, place } }) => ({ sha256, kind, size, type, taken_at, place }))
    const args = {
      ...(VERSIONS.submit_evaluation > 1 && { application }),
      ...{ evaluation: crypto.randomUUID(), visit, grade: 1, identity_checked: true, guardian_present: false },
      parts: [{ category: 'physical', findings: { independence: 'none', condition: '1i' }, grade: 1, reason: '' }],
      consent: { by: 'resident', name: '赵青山' },
      ...{ co_signers: [other], arrived_at: at(), evaluated_at: at(), place: null, remark: '已当面核对' },
      media: declared,
    }
    await say('submit_evaluation', args, { media: { add: taken } })
  }
  await talk(safe)
  await say('cancel_visit', { ...of(rowOf(0)), visit: moved, reason: '家属要求', seen: { on: '2018-06-21', start: '10:00' } })
  await talk(safe)
  expect(outbox(safe.log, safe.state)).toEqual([])
  expect(safe.state.missing).toEqual([])
  for (const load of Object.values(handIns)) {
    const { handIn } = await load()
    expect((await handIn(safe, send, 'fork', () => undefined)).end).toBe('done')
  }

  const village = await enrolled('liaison', codes[1] ?? '')
  const nomination = JSON.parse(OUTREACH_NOMINATE ?? '') as object
  const papers = await picture('nomination', 'portrait', null, at())
  const { sha256, size, type, taken_at, place } = papers.media
  const media = [{ sha256, size, type, taken_at, place, kind: 'paper', paper: 'id_card' }]
  const takesPhotos = 'paper_photos' in nomination
  const args = { application: crypto.randomUUID(), ...nomination, ...(takesPhotos && { media }) } as Record<string, unknown>
  delete args.paper_photos
  await village.say('nominate' as 'move_visit', args as never, wall(), takesPhotos ? { media: { add: [papers] } } : {})
  await talk(village)
  expect(outbox(village.log, village.state)).toEqual([])
  expect(village.state.missing).toEqual([])
})
