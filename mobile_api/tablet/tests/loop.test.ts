import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Engine, Step } from '@/sync/engine'
import { SyncLoop } from '@/sync/loop'
import type { Safe } from '@/store/safe'
import { FRESH, type Media } from '@/store/records'

/** A loop over an engine that comes to what the list says, then to rest; it counts exchanges under way. */
function looping(steps: Step[], chance = 0.5) {
  const seen = { exchanges: 0, atOnce: 0, most: 0, take: null as Promise<void> | null }
  const engine = {
    async exchange(): Promise<Step> {
      seen.exchanges += 1
      seen.most = Math.max(seen.most, ++seen.atOnce)
      await (seen.take ?? Promise.resolve())
      seen.atOnce -= 1
      return steps.shift() ?? 'rest'
    },
  } as Engine
  const safe = { state: { ...FRESH }, media: new Map(), rows: new Map(), files: new Set() } as unknown as Safe
  return { loop: new SyncLoop(safe, engine, () => chance), seen, safe }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const uploaded: string[] = []
vi.mock('@/sync/uploads', async (original) => ({
  ...(await original<typeof import('@/sync/uploads')>()),
  upload: async ({ state }: Safe, { sha256 }: Media) => {
    uploaded.push(sha256)
    await new Promise((done) => setTimeout(done, 1_000))
    state.missing = state.missing.filter((one) => one !== sha256)
    return 'sent'
  },
}))

describe('what is said while photos are on their way', () => {
  it('goes before the next photo', async () => {
    const { loop, seen, safe } = looping([])
    for (const sha256 of ['a', 'b', 'c']) safe.media.set(sha256, { sha256, kind: 'portrait', state: 'declared', taken_at: '2018-06-04T01:00:00Z' } as Media)
    safe.state.missing = ['a', 'b', 'c']
    const talking = loop.nudge()
    await vi.advanceTimersByTimeAsync(500)
    expect([uploaded, seen.exchanges]).toEqual([['a'], 1])
    void loop.nudge()
    await vi.advanceTimersByTimeAsync(501)
    expect(seen.exchanges).toBeGreaterThan(1)
    await vi.advanceTimersByTimeAsync(10_000)
    await talking
    expect(uploaded).toEqual(['a', 'b', 'c'])
  })
})

describe('a line that comes back', () => {
  it('is used within seconds, however long the pause that had grown', async () => {
    const { loop, seen } = looping(['down', 'down', 'down', 'down', 'down', 'down'])
    for (let turn = 0; turn < 6; turn += 1) await loop.nudge()
    expect([seen.exchanges, loop.line]).toEqual([6, 'waiting'])
    loop.comeBack()
    await vi.advanceTimersByTimeAsync(1_999)
    expect(seen.exchanges).toBe(6)
    await vi.advanceTimersByTimeAsync(2)
    expect([seen.exchanges, loop.line]).toEqual([7, 'idle'])
  })
  it.each([
    [0.25, 1_000],
    [0.5, 2_000],
    [1, 4_000],
  ])('is begun by chance (%d) after %d ms, so that a team does not begin in one second', async (chance, ms) => {
    const { loop, seen } = looping(['down'], chance)
    await loop.nudge()
    loop.comeBack()
    await vi.advanceTimersByTimeAsync(ms - 1)
    expect(seen.exchanges).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(seen.exchanges).toBe(2)
  })
  it('leaves a server that fails its pause', async () => {
    const { loop, seen } = looping(['later', 'later', 'later'])
    for (let turn = 0; turn < 3; turn += 1) await loop.nudge()
    expect(loop.line).toBe('failing')
    for (let flap = 0; flap < 5; flap += 1) loop.comeBack(0)
    await vi.advanceTimersByTimeAsync(5_999) // the third pause: 8 s, between 4 and 8
    expect(seen.exchanges).toBe(3)
    await vi.advanceTimersByTimeAsync(2)
    expect(seen.exchanges).toBe(4)
  })
  it('never makes two exchanges at once, and tries again when the one under way was lost', async () => {
    const { loop, seen } = looping(['down'])
    let fail: () => void = () => undefined
    seen.take = new Promise((done) => (fail = done))
    const talking = loop.nudge()
    loop.comeBack(0)
    loop.comeBack(0)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(seen.exchanges).toBe(1)
    fail()
    await talking
    await vi.advanceTimersByTimeAsync(0)
    expect([seen.exchanges, seen.most]).toEqual([2, 1])
  })
  it('needs no second exchange when the one under way got through', async () => {
    const { loop, seen } = looping([])
    const talking = loop.nudge()
    loop.comeBack(0)
    await talking
    await vi.advanceTimersByTimeAsync(59_000)
    expect(seen.exchanges).toBe(1)
  })
  it('wakes nothing that was stopped', async () => {
    const { loop, seen } = looping(['down'])
    await loop.nudge()
    loop.stop()
    loop.comeBack(0)
    await vi.advanceTimersByTimeAsync(600_000)
    expect(seen.exchanges).toBe(1)
  })
})
