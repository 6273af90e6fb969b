import { sha256Hex, type Bytes } from '@/core/bytes'
import type { Clock } from '@/core/clock'
import type { Nominate, SubmitEvaluation } from '@/core/wire'
import { TabletDatabase } from '@/store/database'
import type { Media } from '@/store/records'
import { Safe } from '@/store/safe'
import { Engine, type Step } from '@/sync/engine'
import type { FakeServer } from './server'

export const PIN = '246810'
export const ROUNDS = 1000 // the tests' own: the app never asks for fewer than 600,000

export class SteadyClock implements Clock {
  now = Date.parse('2018-06-04T01:00:00Z')
  wall = () => this.now
  mono = () => this.now
}

let count = 0

/** A tablet without a screen: enrolled, opened, with its own database. */
export async function tablet(server: FakeServer) {
  const clock = new SteadyClock()
  const db = new TabletDatabase(`t${++count}`)
  const safe = await Safe.create(db, PIN, clock.now, ROUNDS)
  const user = { id: 'u', full_name: '陈医生', role: 'assessor', division: '顺庆区', categories: [] } as const
  await safe.change({ session: { device: 'd', token: 'secret', user: { ...user, categories: [] }, label: '1' } })
  return { clock, db, safe, engine: engineOf(safe, server, clock) }
}

export const engineOf = (safe: Safe, server: FakeServer, clock: Clock) =>
  new Engine(safe, server.send, clock, () => Promise.resolve({ persisted: true, free_mb: 100 }))

/** Exchange until there is nothing more to say. */
export async function settle(engine: Engine, most = 50): Promise<Step> {
  for (let turn = 0; turn < most; turn += 1) {
    const step = await engine.exchange()
    if (step !== 'more') return step
  }
  throw new Error('the exchange does not come to rest')
}

export const notDone = (visit: string) =>
  ({ visit, application: `c-${visit}`, seen: { on: '2018-06-04', start: '09:00' }, reason: 'absent', next_step: 'revisit', note: '', recorded_at: '2018-06-04T01:00:00.000Z', place: null }) as const

export async function photo(owner: string, bytes: Bytes): Promise<{ media: Media; bytes: Bytes }> {
  const media: Media = {
    sha256: await sha256Hex(bytes),
    kind: 'portrait',
    size: bytes.length,
    type: 'image/jpeg',
    taken_at: '2018-06-04T01:00:00.000Z',
    place: null,
    owner,
    signer: null,
    state: 'draft',
    uploadUrl: null,
  }
  return { media, bytes }
}

export function evaluation(visit: string, media: Media[]): SubmitEvaluation {
  return {
    evaluation: `e-${visit}`,
    visit,
    application: `c-${visit}`,
    parts: [{ category: 'physical', findings: { independence: 'none', condition: '1b' }, grade: 1, reason: '' }],
    grade: 1,
    identity_checked: true,
    guardian_present: false,
    consent: { by: 'resident', name: '任某' },
    co_signers: [],
    arrived_at: '2018-06-04T01:00:00.000Z',
    evaluated_at: '2018-06-04T01:20:00.000Z',
    place: null,
    remark: '',
    media: media.map(({ sha256, kind, size, type, taken_at, place }) => ({ sha256, kind, size, type, taken_at, place })),
  }
}

export const NOMINATION: Nominate = {
  application: 'a9',
  resident: {
    name: '周小溪',
    id_number: '53010219200508011X',
    telephone: '',
    address: '',
    ethnicity: '汉族',
    bedridden: true,
    poor_household: false,
    severity_expected: 2,
  },
  village: '511302200201',
  categories: ['physical'],
  guardian: { name: '周某', telephone: '13912345678', relation: 'parent' },
  consent: { by: 'guardian', name: '周某' },
  media: [],
}
