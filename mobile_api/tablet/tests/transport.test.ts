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
    ['a line that breaks', () => Promise.reject(new TypeError('network'))],
    ['an answer that breaks off', () => Promise.resolve(new Response('{"rid":'))],
    ['the page of a hotel', () => Promise.resolve(new Response('<html>sign in</html>'))],
  ])('takes %s for a line that is down', async (_name, fetched) => {
    vi.stubGlobal('fetch', fetched)
    await expect(send('/api/v1/sync', {}, null)).rejects.toThrow(LineDown)
  })
})
