import { afterEach, describe, expect, it, vi } from 'vitest'
import { chunkFor, Throughput, upload } from '@/sync/uploads'
import { FakeServer } from './support/server'
import { photo, tablet } from './support/tablet'

const CHUNK = 256 * 1024
const SIZE = 600 * 1024

const STEADY = { begin: () => undefined, arrived: () => undefined, failed: () => undefined, chunk: CHUNK }

interface Reply {
  status: number
  offset?: number
}

/** The network's edge: what the browser would send, answered from a list. */
function line(replies: Reply[]) {
  const sent: [method: string, from: string | null, bytes: number][] = []
  class Request {
    status = 0
    responseText = ''
    onload: () => void = () => undefined
    private readonly headers = new Map<string, string>()
    private method = ''
    private offset: number | undefined
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
    send(body: Blob | null): void {
      const reply = replies.shift() ?? { status: 500 }
      sent.push([this.method, this.headers.get('Upload-Offset') ?? null, body?.size ?? 0])
      Object.assign(this, reply)
      queueMicrotask(() => this.onload())
    }
    abort(): void {
      this.onload = () => undefined
    }
  }
  vi.stubGlobal('XMLHttpRequest', Request)
  return sent
}

/** A server behind a line on which no request of so many bytes ever arrives; nothing of it is kept. */
function lineCutEvery(most: number) {
  const reached = { offset: 0, twice: 0, pace: new Throughput() }
  class Request {
    status = 0
    responseText = ''
    onload: () => void = () => undefined
    onerror: (error: unknown) => void = () => undefined
    private method = ''
    open(method: string): void {
      this.method = method
    }
    setRequestHeader = (): void => undefined
    getResponseHeader(name: string): string | null {
      if (name === 'Location') return '/api/v1/uploads/u1'
      return name === 'Upload-Length' ? String(SIZE) : name === 'Upload-Offset' ? String(reached.offset) : null
    }
    send(body: Blob | null): void {
      const bytes = body?.size ?? 0
      if (bytes >= most) {
        reached.twice += bytes
        return queueMicrotask(() => this.onerror(new Error('cut')))
      }
      reached.offset += bytes
      this.status = this.method === 'POST' ? 201 : this.method === 'HEAD' ? 200 : 204
      queueMicrotask(() => this.onload())
    }
    abort(): void {
      this.onload = () => undefined
    }
  }
  vi.stubGlobal('XMLHttpRequest', Request)
  return reached
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
  it('is over at once when the server holds the picture already', async () => {
    const { safe, waiting } = await declared()
    const sent = line([{ status: 201, offset: SIZE }])
    expect(await upload(safe, waiting, () => undefined, STEADY)).toBe('sent')
    expect(sent.length).toBe(1)
  })
  it.each([
    [401, 'signed out'],
    [422, 'rejected'],
    [460, 'line down'],
  ])('whose creation is answered %d is %s', async (status, end) => {
    const { safe, waiting } = await declared()
    line([{ status }])
    expect(await upload(safe, waiting, () => undefined, STEADY)).toBe(end)
  })
  it('begun earlier asks for its place and goes on there', async () => {
    const { safe, waiting } = await declared()
    const sent = line([{ status: 200, offset: CHUNK }, { status: 204, offset: SIZE }])
    expect(await upload(safe, { ...waiting, uploadUrl: '/api/v1/uploads/u1' }, () => undefined, STEADY)).toBe('sent')
    expect(sent).toEqual([['HEAD', null, 0], ['PATCH', String(CHUNK), CHUNK]])
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
