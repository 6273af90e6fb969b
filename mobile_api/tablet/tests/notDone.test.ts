import { describe, expect, it, vi } from 'vitest'
import { createSSRApp, effectScope, ssrContextKey } from 'vue'
import type { MutationArgs } from '@/core/wire'
import NotDoneScreen from '@/ui/screens/NotDoneScreen.vue'

/** The tablet looks for its place until it is told. */
const here = vi.hoisted(() => ({ found: null as ((place: null) => void) | null, said: [] as unknown[] }))
vi.mock('@/capture/position', () => ({ position: () => new Promise((found) => (here.found = found)) }))
vi.mock('@/i18n', () => ({ language: { value: 'zh' }, t: String, tc: String }))
vi.mock('@/ui/route', () => ({ route: { name: 'not-done', id: 'v1' }, go: () => undefined, href: String }))
vi.mock('@/ui/app', () => {
  const safe = {
    drafts: new Map(),
    keepDraft: () => Promise.resolve(),
    say: (_name: string, args: unknown) => Promise.resolve(void here.said.push(args)),
  }
  return {
    now: () => 0,
    safe: () => safe,
    sync: () => Promise.resolve(),
    visitOf: () => ({ id: 'v1', application: 'a1', on: '2018-06-04', start: '09:00' }),
  }
})

interface Screen {
  choose: (reason: string) => void
  submit: () => Promise<void>
}
const shown = (): Screen => {
  const { setup } = NotDoneScreen as unknown as { setup: (props: object, context: object) => Screen }
  const app = createSSRApp({}).provide(ssrContextKey, {})
  return app.runWithContext(() => effectScope().run(() => setup({ id: 'v1' }, { expose: () => undefined }))) as Screen
}

describe('a report that the visit came to nothing', () => {
  it('says what stands on the screen, also where that was put right while the tablet looked for its place', async () => {
    const screen = shown()
    screen.choose('refused')
    const saved = screen.submit()
    screen.choose('absent')
    here.found?.(null)
    await saved
    const [{ reason, next_step }] = here.said as [MutationArgs['record_not_done']]
    expect([reason, next_step]).toEqual(['absent', 'revisit'])
  })
})
