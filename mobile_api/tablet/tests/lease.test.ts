import { describe, expect, it } from 'vitest'
import { base64, randomBytes } from '@/core/bytes'
import { Safe } from '@/store/safe'
import { askShare, keepLease } from '@/sync/lease'
import { LineDown, type Send } from '@/sync/transport'
import { LeaseEnded, WrongPin } from '@/vault/wraps'
import { FakeServer } from './support/server'
import { PIN, tablet } from './support/tablet'

const DAY = 86_400_000
const share = base64(randomBytes(32))
const until = (now: number) => new Date(now + 14 * DAY).toISOString()

/** A server that lends, and remembers what it was asked. */
function lending(now: number) {
  const asked: [path: string, body: unknown, token: string | null][] = []
  const send: Send = (path, body, token) => {
    asked.push([path, body, token])
    const answer = { share, ask: 'secret of asking', lease_until: until(now), server_time: new Date(now).toISOString() }
    return Promise.resolve({ status: 200, body: answer })
  }
  return { asked, send }
}

async function lent() {
  const held = await tablet(new FakeServer())
  const server = lending(held.clock.now)
  await keepLease(held.safe, server.send)
  return { ...held, ...server }
}

describe("the server's part of the key", () => {
  it('is taken once, and the PIN opens with it', async () => {
    const { db, safe, asked, send } = await lent()
    await keepLease(safe, send)
    expect(asked).toEqual([['/api/v1/devices/lease', {}, 'secret']])
    expect((await Safe.unlock(db, PIN)).replica).toBe(safe.replica)
    await expect(Safe.unlock(db, '135790')).rejects.toBeInstanceOf(WrongPin)
  })
  it('is forgotten when the lease is over, and then the PIN opens nothing and is not counted as wrong', async () => {
    const { db, clock } = await lent()
    await db.endLease(clock.now + 13 * DAY)
    expect((await db.vault())?.lease?.share).toBe(share)
    await db.endLease(clock.now + 15 * DAY)
    const vault = await db.vault()
    expect(JSON.stringify(vault)).not.toContain(share)
    await expect(Safe.unlock(db, PIN)).rejects.toBeInstanceOf(LeaseEnded)
    expect((await db.vault())?.failed).toBe(0)
  })
  it('comes back with one word of a server that still knows the tablet', async () => {
    const { db, safe, clock } = await lent()
    await db.endLease(clock.now + 15 * DAY)
    clock.now += 15 * DAY
    const { asked, send } = lending(clock.now)
    expect(await askShare(db, send, clock)).toBe(null)
    expect(asked).toEqual([['/api/v1/devices/share', { replica: safe.replica, ask: 'secret of asking' }, null]])
    expect((await Safe.unlock(db, PIN)).replica).toBe(safe.replica)
    expect((await db.vault())?.lease?.until).toBe(clock.now + 14 * DAY)
  })
  it.each([
    ['line', () => Promise.reject(new LineDown())],
    ['revoked', () => Promise.resolve({ status: 403, body: { type: '/problems/revoked' } })],
    ['other', () => Promise.resolve({ status: 410, body: { type: '/problems/unknown-replica' } })],
  ] as const)('stays away with %s, and nothing is deleted', async (problem, send) => {
    const { db, clock } = await lent()
    await db.endLease(clock.now + 15 * DAY)
    const before = await db.vault()
    expect(await askShare(db, send, clock)).toBe(problem)
    expect(await db.vault()).toEqual(before)
  })
  it('is lent for longer with each exchange, by this device’s own clock', async () => {
    const { db, safe, clock, send } = await lent()
    const offsetMs = -3 * DAY // the office's clock is behind
    await safe.change({ state: { offsetMs, policy: { lease_until: until(clock.now + offsetMs + DAY) } } })
    await keepLease(safe, send)
    expect((await db.vault())?.lease?.until).toBe(clock.now + 15 * DAY)
  })
  it('is taken again by a tablet that another way opened after the end', async () => {
    const { db, safe, clock, send } = await lent()
    await db.endLease(clock.now + 15 * DAY)
    await keepLease(safe, send)
    expect((await Safe.unlock(db, PIN)).replica).toBe(safe.replica)
  })
  it('is taken anew from a register that was restored, and may know nothing of the one before', async () => {
    const { db, safe, clock, asked, send } = await lent()
    await safe.change({ state: { epoch: 'before', policy: { lease_until: until(clock.now + DAY) } } })
    await keepLease(safe, send)
    expect(asked).toHaveLength(1)
    await safe.change({ state: { epoch: 'after' } })
    const another = base64(randomBytes(32))
    const lend: Send = () =>
      Promise.resolve({ status: 200, body: { share: another, ask: 'another secret', lease_until: until(clock.now) } })
    await keepLease(safe, lend)
    expect((await db.vault())?.lease).toMatchObject({ share: another, ask: 'another secret' })
    expect((await Safe.unlock(db, PIN)).replica).toBe(safe.replica)
    await keepLease(safe, () => Promise.reject(new Error('asked twice')))
  })
  it('stays around a new PIN', async () => {
    const { db, safe, clock } = await lent()
    await safe.rewrap(PIN, '864209')
    expect((await Safe.unlock(db, '864209')).replica).toBe(safe.replica)
    await db.endLease(clock.now + 15 * DAY)
    await expect(Safe.unlock(db, '864209')).rejects.toBeInstanceOf(LeaseEnded)
  })
})
