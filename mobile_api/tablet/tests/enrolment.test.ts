import { describe, expect, it } from 'vitest'
import { Safe } from '@/store/safe'
import { enrolWith } from '@/sync/enrolment'
import { LineDown, type Answer, type Send } from '@/sync/transport'
import { FakeServer } from './support/server'
import { engineOf, notDone, PIN, settle, tablet } from './support/tablet'

const NEW = { code: ' abcd-efgh ', label: '二组平板' }
const user = { id: 'u', full_name: '陈医生', role: 'assessor', division: '顺庆区', categories: [] }
const welcome = { status: 201, body: { device: 'd', replica: 'r', token: 'fresh', epoch: 'e1', server_time: '2018-06-04T02:00:00Z', user } }
const problem = (status: number, slug: string): Answer => ({ status, body: { type: `/problems/${slug}` } })
const answering = (answer: Answer): Send => () => Promise.resolve(answer)

/** A tablet with work in its outbox whose token the server has forgotten. */
async function expired() {
  const server = new FakeServer()
  const made = await tablet(server)
  await made.safe.say('record_not_done', notDone('a'), 1)
  await settle(made.engine)
  await made.safe.say('record_not_done', notDone('b'), 1)
  server.script = [problem(401, 'expired-token')]
  await made.engine.exchange()
  return { server, ...made }
}

describe('a tablet whose token expired', () => {
  it('presents its stored key and replica with the new code, and no token', async () => {
    const { safe, clock } = await expired()
    const sent: unknown[] = []
    const send: Send = (...request) => {
      sent.push(request)
      return Promise.resolve(welcome)
    }
    expect(await enrolWith(safe, send, clock, NEW)).toBeNull()
    const body = { code: 'ABCD-EFGH', label: '二组平板', public_key: safe.publicKey, replica: safe.replica }
    expect(sent).toEqual([['/api/v1/devices/enrol', body, null]])
  })
  it('keeps its outbox and sends it with the fresh token, the log going on', async () => {
    const { server, safe, clock } = await expired()
    const log = new Map(safe.log)
    await enrolWith(safe, answering(welcome), clock, NEW)
    expect([safe.log, safe.state.halt, safe.session?.token]).toEqual([log, null, 'fresh'])
    const tokens: (string | null)[] = []
    const watched: Send = (path, body, token) => {
      tokens.push(token)
      return server.send(path, body, token)
    }
    expect(await settle(engineOf(safe, Object.assign(new FakeServer(), { send: watched }), clock))).toBe('rest')
    expect(server.ledger.map(({ mutation }) => [mutation.seq, mutation.chain])).toEqual(
      [...log.values()].map(({ seq, chain }) => [seq, chain]),
    )
    expect(new Set(tokens)).toEqual(new Set(['fresh']))
  })
  it('holds the fresh token on the disk', async () => {
    const { db, safe, clock } = await expired()
    await enrolWith(safe, answering(welcome), clock, NEW)
    const again = await Safe.unlock(db, PIN)
    expect([again.session, again.state]).toEqual([safe.session, safe.state])
  })
  it('learns the time of the server from the answer', async () => {
    const { safe, clock } = await expired()
    await enrolWith(safe, answering(welcome), clock, NEW)
    expect(safe.state.offsetMs).toBe(3_600_000)
  })
  it.each([
    ['unknown-code', 404, 'unknown-code'],
    ['code-used', 409, 'code-used'],
    ['fork', 409, 'fork'],
    ['code-expired', 410, 'code-expired'],
    ['anything', 429, 'too-many'],
    ['anything', 500, 'other'],
  ])('answered %s %d is told %s, and nothing changes', async (slug, status, told) => {
    const { safe, clock } = await expired()
    const before = [safe.session, safe.state, new Map(safe.log)]
    expect(await enrolWith(safe, answering(problem(status, slug)), clock, NEW)).toBe(told)
    expect([safe.session, safe.state, safe.log]).toEqual(before)
  })
  it('tries the same code again after the line was down', async () => {
    const { safe, clock } = await expired()
    expect(await enrolWith(safe, () => Promise.reject(new LineDown()), clock, NEW)).toBe('line')
    expect(safe.state.halt).toBe('sign_in')
    expect(await enrolWith(safe, answering(welcome), clock, NEW)).toBeNull()
  })
})
