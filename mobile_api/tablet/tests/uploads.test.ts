import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Media } from '@/store/records'
import type { Engine } from '@/sync/engine'
import { SyncLoop } from '@/sync/loop'
import { chunkFor, Throughput, upload, waitingMedia } from '@/sync/uploads'
import { FakeServer } from './support/server'
import { photo, tablet } from './support/tablet'

const CHUNK = 256 * 1024
const SIZE = 600 * 1024

const STEADY = { begin: () => undefined, arrived: () => undefined, failed: () => undefined, chunk: CHUNK }

interface Reply {
  status: number
  offset?: number
  body?: string
}

/** A browser's request as the upload sees it; each line below answers in a way of its own. */
class FakeRequest {
  status = 0
  responseText = ''
  onload: () => void = () => undefined
  onerror: (error: unknown) => void = () => undefined
  protected readonly headers = new Map<string, string>()
  protected method = ''
  protected offset: number | undefined
  open(method: string): void {
    this.method = method
  }
  setRequestHeader(name: string, value: string): void {
    this.headers.set(name, value)
  }
  getResponseHeader(name: string): string | null {
    if (name === 'Location') return '/api/v1/uploads/u1'
    if (name === 'Upload-Length') return String(SIZE)
    return name === 'Upload-Offset' && this.offset !== undefined ? String(this.offset) : null
  }
  abort(): void {
    this.onload = () => undefined
  }
  protected answer(status: number, offset?: number): void {
    Object.assign(this, { status, offset })
    queueMicrotask(() => this.onload())
  }
  protected cut(): void {
    queueMicrotask(() => this.onerror(new Error('cut')))
  }
}

/** The network's edge: what the browser would send, answered from a list. */
function line(replies: Reply[]) {
  const sent: [method: string, from: string | null, bytes: number][] = []
  class Request extends FakeRequest {
    send(body: Blob | null): void {
      const { status, offset, body: text } = replies.shift() ?? ({ status: 500 } as Reply)
      sent.push([this.method, this.headers.get('Upload-Offset') ?? null, body?.size ?? 0])
      this.responseText = text ?? ''
      this.answer(status, offset)
    }
  }
  vi.stubGlobal('XMLHttpRequest', Request)
  return sent
}

/** A server behind a line on which no request of so many bytes ever arrives; nothing of it is kept. */
function lineCutEvery(most: number) {
  const reached = { offset: 0, twice: 0, pace: new Throughput() }
  class Request extends FakeRequest {
    send(body: Blob | null): void {
      const bytes = body?.size ?? 0
      if (bytes >= most) {
        reached.twice += bytes
        return this.cut()
      }
      reached.offset += bytes
      this.answer(this.method === 'POST' ? 201 : this.method === 'HEAD' ? 200 : 204, reached.offset)
    }
  }
  vi.stubGlobal('XMLHttpRequest', Request)
  return reached
}

/** A server that keeps what came of a request, behind a line that is cut while a creation is under way. */
function lineCutInCreations(cuts: number, kept: number) {
  const there = { offset: 0, sent: [] as [method: string, bytes: number][] }
  class Request extends FakeRequest {
    send(body: Blob | null): void {
      const bytes = body?.size ?? 0
      there.sent.push([this.method, bytes])
      if (this.method === 'POST' && cuts > 0) {
        cuts -= 1
        there.offset = Math.max(there.offset, Math.min(kept, bytes))
        return this.cut()
      }
      const from = Number(this.headers.get('Upload-Offset') ?? 0)
      there.offset = Math.max(there.offset, from + bytes)
      this.answer(this.method === 'POST' ? 201 : 204, there.offset)
    }
  }
  vi.stubGlobal('XMLHttpRequest', Request)
  quickly()
  return there
}

/** What the office says of a file that it has looked at. */
const NO_PICTURE = '{"type": "/problems/not-a-picture"}'

/** Pauses between tries are short here; patience stays what it is. */
function quickly(): void {
  const later = globalThis.setTimeout
  vi.stubGlobal('setTimeout', (then: () => void, ms: number) => later(then, ms > 10_000 ? ms : 0))
}

async function declared() {
  const { safe } = await tablet(new FakeServer())
  const { media, bytes } = await photo('v1', new Uint8Array(SIZE))
  const waiting = { ...media, state: 'declared' as const }
  await safe.change({ media: { add: [{ media: waiting, bytes }] } })
  return { safe, waiting }
}

afterEach(() => vi.unstubAllGlobals())

describe('an upload', () => {
  it('carries its first bytes with the creation, which saves a round trip', async () => {
    const { safe, waiting } = await declared()
    const sent = line([{ status: 201, offset: CHUNK }, { status: 204, offset: 2 * CHUNK }, { status: 204, offset: SIZE }])
    expect(await upload(safe, waiting, () => undefined, STEADY)).toBe('sent')
    expect(sent).toEqual([
      ['POST', null, CHUNK],
      ['PATCH', String(CHUNK), CHUNK],
      ['PATCH', String(2 * CHUNK), SIZE - 2 * CHUNK],
    ])
    await vi.waitFor(() => expect(safe.media.get(waiting.sha256)?.uploadUrl).toMatch(/\/api\/v1\/uploads\/u1$/))
  })
  it('goes on where the server stands when the answer to the creation was lost', async () => {
    const { safe, waiting } = await declared()
    const sent = line([{ status: 201, offset: 2 * CHUNK }, { status: 204, offset: SIZE }])
    expect(await upload(safe, waiting, () => undefined, STEADY)).toBe('sent')
    expect(sent).toEqual([['POST', null, CHUNK], ['PATCH', String(2 * CHUNK), SIZE - 2 * CHUNK]])
  })
  it('whose creation was cut asks where it stands, and sends only what is missing', async () => {
    const { safe, waiting } = await declared()
    const there = lineCutInCreations(1, 100_000)
    const pace = new Throughput()
    expect(await upload(safe, waiting, () => undefined, { ...STEADY, arrived: (bytes) => pace.arrived(bytes) })).toBe('sent')
    const rest = SIZE - 100_000
    expect(there.sent).toEqual([['POST', CHUNK], ['POST', 0], ['PATCH', CHUNK], ['PATCH', rest - CHUNK]])
  })
  it('asks so in a later round too, whatever became of the first, and goes on', async () => {
    const { safe, waiting } = await declared()
    const there = lineCutInCreations(4, 100_000)
    expect(await upload(safe, waiting, () => undefined, STEADY)).toBe('line down')
    const kept = await vi.waitFor(() => {
      expect(safe.media.get(waiting.sha256)?.begun).toBe(true)
      return safe.media.get(waiting.sha256) as Media
    })
    expect(await upload(safe, kept, () => undefined, STEADY)).toBe('sent')
    expect(there.sent.slice(0, 6).map(([, bytes]) => bytes)).toEqual([CHUNK, 0, 0, 0, 0, CHUNK])
    expect([there.offset, there.sent.reduce((sum, [, bytes]) => sum + bytes, 0)]).toEqual([SIZE, SIZE + CHUNK - 100_000])
  })
  it('does not take what was there already for the speed of the line', async () => {
    const { safe, waiting } = await declared()
    lineCutInCreations(1, 100_000)
    const arrived: number[] = []
    await upload(safe, waiting, () => undefined, { ...STEADY, arrived: (bytes) => void arrived.push(bytes) })
    expect(arrived).toEqual([CHUNK, SIZE - 100_000 - CHUNK])
  })
  it('is given up when the line falls silent, and goes on in the next round', async () => {
    const { safe, waiting } = await declared()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const aborted: string[] = []
    class Silent {
      upload = {} as { onprogress?: (event: object) => void }
      open = (): void => undefined
      setRequestHeader = (): void => undefined
      abort = (): void => void aborted.push('request')
      send(): void {
        setTimeout(() => this.upload.onprogress?.({ lengthComputable: true, loaded: 1000 }), 40_000)
      }
    }
    vi.stubGlobal('XMLHttpRequest', Silent)
    const seen: number[] = []
    const sending = upload(safe, waiting, ({ sent }) => void seen.push(sent), STEADY)
    await vi.waitFor(() => expect(seen.length).toBe(1))
    await vi.advanceTimersByTimeAsync(84_000) // it moved after 40 s
    expect([seen, aborted]).toEqual([[0, 1000], []])
    await vi.advanceTimersByTimeAsync(2_000)
    vi.useRealTimers()
    expect([await sending, aborted]).toEqual(['line down', ['request']])
    await vi.waitFor(() => expect(safe.media.get(waiting.sha256)?.begun).toBe(true))
  })
  it('is over at once when the server holds the picture already', async () => {
    const { safe, waiting } = await declared()
    const sent = line([{ status: 201, offset: SIZE }])
    expect(await upload(safe, waiting, () => undefined, STEADY)).toBe('sent')
    expect(sent.length).toBe(1)
  })
  it.each([
    [401, '', 'signed out'],
    [403, '<h1>Sign in to this network</h1>', 'signed out'],
    [422, NO_PICTURE, 'rejected'],
    [460, '', 'spoilt'],
  ])('whose creation is answered %d %s is %s', async (status, body, end) => {
    const { safe, waiting } = await declared()
    line([{ status, body }])
    expect(await upload(safe, waiting, () => undefined, STEADY)).toBe(end)
  })
  it.each([
    [413, '<h1>413 Request Entity Too Large</h1>'],
    [413, '{"type": "/problems/too-large"}'],
    [415, ''],
    [422, '<h1>Unprocessable</h1>'],
    [422, 'null'],
  ])('is not over because of what stands in between: %d %s goes by', async (status, body) => {
    const { safe, waiting } = await declared()
    quickly()
    line([{ status, body }, { status, body }, { status, body }, { status, body }])
    expect(await upload(safe, waiting, () => undefined, STEADY)).toBe('server fails')
    expect(safe.media.get(waiting.sha256)?.state).toBe('declared')
  })
  it('that an earlier version gave up for such a reason is tried once more', async () => {
    const { safe, waiting } = await declared()
    const given: Media = { ...waiting, state: 'rejected' }
    await safe.change({ media: { meta: [given] }, state: { missing: [waiting.sha256] } })
    expect(waitingMedia(safe)).toEqual([given])
    line([{ status: 201, offset: SIZE }])
    expect(await upload(safe, given, () => undefined, STEADY)).toBe('sent')
    expect(safe.media.get(waiting.sha256)?.state).toBe('declared')
    line([{ status: 422, body: NO_PICTURE }])
    expect(await upload(safe, given, () => undefined, STEADY)).toBe('rejected')
    expect(waitingMedia(safe)).toEqual([])
  })
  it('begun earlier asks for its place and goes on there', async () => {
    const { safe, waiting } = await declared()
    const sent = line([{ status: 200, offset: CHUNK }, { status: 204, offset: SIZE }])
    expect(await upload(safe, { ...waiting, uploadUrl: '/api/v1/uploads/u1' }, () => undefined, STEADY)).toBe('sent')
    expect(sent).toEqual([['HEAD', null, 0], ['PATCH', String(CHUNK), CHUNK]])
  })
})

/** A tablet with one picture to send for each name, the first named first, and a server by their hashes. */
async function album(...names: string[]) {
  const { db, safe, engine } = await tablet(new FakeServer())
  const made = []
  for (const [index, name] of names.entries()) {
    const { media, bytes } = await photo('v1', new TextEncoder().encode(name))
    const taken_at = `2018-06-04T0${index + 1}:00:00.000Z`
    made.push(media.sha256)
    await safe.change({ media: { add: [{ media: { ...media, taken_at, state: 'declared' }, bytes }] } })
  }
  await safe.change({ state: { missing: made } })
  const still = { exchange: () => Promise.resolve('rest') } as Engine
  return { db, safe, engine, made, loop: new SyncLoop(safe, still, () => 0) }
}

/** A server that takes every picture in one piece, but for those that it answers otherwise; tells what came. */
function serverThatAnswers(status: number, ...poison: string[]) {
  const came: string[] = []
  const nameOf = (header: string) => atob(/sha256 (\S+?),/.exec(`${header},`)?.[1] ?? '')
  class Request extends FakeRequest {
    send(body: Blob | null): void {
      const sha256 = nameOf(this.headers.get('Upload-Metadata') ?? '')
      if (poison.includes(sha256)) return this.answer(status)
      if (this.method === 'POST') came.push(sha256)
      this.answer(201, body?.size ?? 1)
    }
  }
  vi.stubGlobal('XMLHttpRequest', Request)
  const later = globalThis.setTimeout
  vi.stubGlobal('setTimeout', (then: () => void, ms: number) => (ms > 10_000 ? undefined : later(then, 0)))
  return came
}

describe('one picture', () => {
  it('that the server stumbles over each time holds up none of the others', async () => {
    const { loop, made } = await album('a', 'b', 'c')
    const came = serverThatAnswers(500, made[0] ?? '')
    await loop.nudge()
    await vi.waitFor(() => expect(came).toEqual([made[1], made[2]]))
    await vi.waitFor(() => expect(loop.line).toBe('failing'))
    loop.stop()
  })
  it('that is spoilt on its way each time holds up none of the others, and no line is blamed', async () => {
    const { loop, made } = await album('a', 'b', 'c')
    const came = serverThatAnswers(460, made[0] ?? '')
    await loop.nudge()
    expect([came, loop.line]).toEqual([[made[1], made[2]], 'failing'])
    loop.stop()
  })
  it('whose bytes cannot be read any more holds up none of the others, and is told', async () => {
    const { db, safe, loop, made } = await album('a', 'b')
    await db.media.update(made[0] ?? '', { body: new Uint8Array(40) })
    const came = serverThatAnswers(201)
    await loop.nudge()
    expect([came, loop.line]).toEqual([[made[1]], 'idle'])
    expect(safe.damaged).toEqual([{ store: 'media', k: made[0] }])
    loop.stop()
  })
})

describe('what waits', () => {
  it('goes signatures first, then photos, the newest day before older ones', async () => {
    const { safe } = await tablet(new FakeServer())
    const made: [string, Media['kind']][] = [
      ['2018-06-03T09:00:00Z', 'portrait'],
      ['2018-06-04T02:00:00Z', 'environment'],
      ['2018-06-03T16:30:00Z', 'portrait'], // half past midnight in the county: already the fourth
      ['2018-06-03T08:00:00Z', 'signature_resident'],
      ['2018-06-04T03:00:00Z', 'signature_resident'],
    ]
    for (const [index, [taken_at, kind]] of made.entries()) {
      const { media, bytes } = await photo(`v${index}`, new Uint8Array([index]))
      await safe.change({ media: { add: [{ media: { ...media, kind, taken_at, state: 'declared' }, bytes }] } })
    }
    await safe.change({ state: { missing: [...safe.media.keys()] } })
    expect(waitingMedia(safe).map(({ owner }) => owner)).toEqual(['v4', 'v3', 'v2', 'v1', 'v0'])
  })
})

describe('the size of a chunk', () => {
  it.each([
    [0, 64],
    [8_000, 64], // 64 kbit/s: a cut costs eight seconds at most
    [64_000, 256],
    [128_000, 512],
    [10_000_000, 1024], // wifi
  ])('at %d bytes a second is %d KiB', (rate, kib) => {
    expect(chunkFor(rate)).toBe(kib * 1024)
  })
  it('follows the line, chunk by chunk, and is halved when the line fails', () => {
    let now = 0
    const line = new Throughput(() => now)
    expect(line.chunk).toBe(64 * 1024)
    line.begin()
    now += 500
    line.arrived(128_000) // 256,000 bytes a second
    expect(line.chunk).toBe(1024 * 1024)
    now += 128_000
    line.arrived(1_024_000) // 8,000 bytes a second: the valley begins
    expect(line.chunk).toBe(512 * 1024)
    line.failed()
    expect(line.chunk).toBe(256 * 1024)
  })
  it('falls below the smallest while a line is cut before so much went through, and recovers', () => {
    let now = 0
    const line = new Throughput(() => (now += 1_000))
    const seen = [line.chunk]
    for (let cut = 0; cut < 6; cut += 1) {
      line.failed()
      seen.push(line.chunk)
    }
    expect(seen.map((bytes) => bytes / 1024)).toEqual([64, 32, 16, 8, 4, 4, 4])
    for (let chunk = 0; chunk < 60; chunk += 1) line.arrived(1024 * 1024)
    expect(line.chunk).toBe(1024 * 1024)
  })
  it('brings a picture over a line that is cut each time so much of it is under way', async () => {
    const { safe, waiting } = await declared()
    const reached = lineCutEvery(60_000)
    for (let round = 0; round < 5 && reached.offset < SIZE; round += 1) {
      await upload(safe, safe.media.get(waiting.sha256) ?? waiting, () => undefined, reached.pace)
    }
    expect(reached.offset).toBe(SIZE)
    expect(reached.twice).toBeLessThan(SIZE / 2)
  }, 60_000)
  it('grows within one picture on a quick line', async () => {
    const { safe, waiting } = await declared()
    const small = 64 * 1024
    const sent = line([{ status: 201, offset: small }, { status: 204, offset: SIZE }])
    expect(await upload(safe, waiting, () => undefined)).toBe('sent')
    expect(sent.map(([, , bytes]) => bytes)).toEqual([small, SIZE - small])
  })
})
