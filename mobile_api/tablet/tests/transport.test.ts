import { afterEach, describe, expect, it, vi } from 'vitest'
import { LineDown, send } from '@/sync/transport'

afterEach(() => vi.unstubAllGlobals())

describe('a request', () => {
  it.each([
    ['en', 'en'],
    ['zh-Hans', 'zh-Hans'],
    ['', 'zh-Hans'],
  ])('asks for answers in the language of the screen (%s)', async (lang, asked) => {
    const heard: RequestInit[] = []
    vi.stubGlobal('document', { documentElement: { lang } })
    vi.stubGlobal('fetch', (_path: string, how: RequestInit) => {
      heard.push(how)
      return Promise.resolve(new Response('{"rid":"r"}'))
    })
    expect(await send('/api/v1/sync', { a: 1 }, 'token')).toEqual({ status: 200, body: { rid: 'r' } })
    expect(new Headers(heard[0]?.headers).get('Accept-Language')).toBe(asked)
    expect(new Headers(heard[0]?.headers).get('Authorization')).toBe('Bearer token')
  })
  it.each([
    ['a short one', 'x', null],
    ['a long one', '路'.repeat(2_000), 'gzip'],
  ])('of %s is packed only where it is worth it', async (_name, note, encoding) => {
    const heard: RequestInit[] = []
    vi.stubGlobal('fetch', (_path: string, how: RequestInit) => {
      heard.push(how)
      return Promise.resolve(new Response('{}'))
    })
    await send('/api/v1/sync', { note }, null)
    expect(new Headers(heard[0]?.headers).get('Content-Encoding')).toBe(encoding)
    const sent = new Blob([heard[0]?.body as BlobPart])
    const plain = encoding ? sent.stream().pipeThrough(new DecompressionStream('gzip')) : sent.stream()
    expect(await new Response(plain).json()).toEqual({ note })
    if (encoding) expect(sent.size).toBeLessThan(500)
  })
  it('goes as it is where a browser cannot pack', async () => {
    const heard: RequestInit[] = []
    vi.stubGlobal('CompressionStream', undefined)
    vi.stubGlobal('fetch', (_path: string, how: RequestInit) => {
      heard.push(how)
      return Promise.resolve(new Response('{}'))
    })
    await send('/api/v1/sync', { note: 'x'.repeat(5_000) }, null)
    expect(JSON.parse(heard[0]?.body as string)).toEqual({ note: 'x'.repeat(5_000) })
  })
  it('is given up when nothing moves, not when it takes long', async () => {
    vi.useFakeTimers()
    const heard: AbortSignal[] = []
    /** Twelve pieces, one each half minute; the line falls silent after some of them. */
    const slowly = (pieces: number) => (_path: string, { signal }: RequestInit) => {
      heard.push(signal as AbortSignal)
      const body = new ReadableStream({
        async start(controller) {
          signal?.addEventListener('abort', () => controller.error(new DOMException('given up', 'AbortError')))
          for (let piece = 0; piece < pieces; piece += 1) {
            await new Promise((later) => setTimeout(later, 30_000))
            controller.enqueue(new TextEncoder().encode(piece === 0 ? '["' : piece === 11 ? '"]' : '.'))
          }
          if (pieces === 12) controller.close()
        },
      })
      return Promise.resolve(new Response(body))
    }
    vi.stubGlobal('fetch', slowly(12))
    const whole = send('/api/v1/sync', {}, null)
    await vi.advanceTimersByTimeAsync(400_000)
    expect(await whole).toEqual({ status: 200, body: ['..........'] })
    vi.stubGlobal('fetch', slowly(3))
    const silent = send('/api/v1/sync', {}, null).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(90_000 + 44_000)
    expect(heard[1]?.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(2_000)
    expect([heard[1]?.aborted, (await silent) instanceof LineDown]).toEqual([true, true])
    vi.useRealTimers()
  })
  it.each([
    ['a line that breaks', () => Promise.reject(new TypeError('network'))],
    ['an answer that breaks off', () => Promise.resolve(new Response('{"rid":'))],
    ['the page of a hotel', () => Promise.resolve(new Response('<html>sign in</html>'))],
  ])('takes %s for a line that is down', async (_name, fetched) => {
    vi.stubGlobal('fetch', fetched)
    await expect(send('/api/v1/sync', {}, null)).rejects.toThrow(LineDown)
  })
})
