import { afterEach, describe, expect, it, vi } from 'vitest'
import { position } from '@/capture/position'

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('the position', () => {
  it('is none where the browser never answers, as while nobody says whether it may look', async () => {
    vi.useFakeTimers()
    vi.stubGlobal('navigator', { geolocation: { getCurrentPosition: () => undefined } })
    const found = vi.fn()
    void position().then(found)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(found.mock.calls).toEqual([[null]])
  })
})
