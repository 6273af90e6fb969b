import { describe, expect, it, vi } from 'vitest'
import { createSSRApp, ref } from 'vue'
import { renderToString } from 'vue/server-renderer'
import ScheduleScreen from '@/ui/screens/ScheduleScreen.vue'

const here = vi.hoisted(() => ({ drafts: new Map<string, unknown>() }))
vi.mock('@/i18n', () => ({ language: { value: 'zh' }, t: String, tc: String }))
vi.mock('@/ui/route', () => ({ route: { name: 'move', id: 'v1' }, go: () => undefined, href: String }))
vi.mock('@/ui/app', () => {
  const resident = { name: '任某', telephone: '' }
  const visit = { id: 'v1', state: 'scheduled', on: '2018-06-05', start: '09:00', minutes: 40, possible_times: [], resident }
  return {
    now: () => Date.parse('2018-06-04T01:00:00Z'),
    calendarOf: () => ({ non_working: [] }),
    safe: () => ({ drafts: here.drafts, keepDraft: () => Promise.resolve() }),
    sync: () => Promise.resolve(),
    book: { visits: ref([visit]), cases: ref([]) },
  }
})

/** Whether Enter, or a tap, says that the visit is moved: a button that is disabled takes neither. */
async function moves(draft: object): Promise<boolean> {
  here.drafts.set('move/v1', draft)
  const html = await renderToString(createSSRApp(ScheduleScreen, { id: 'v1' }))
  const [button] = /<button type="submit"[^>]*>/.exec(html) ?? []
  return button !== undefined && !/ disabled/.test(button)
}

describe('a visit that is moved', () => {
  const stands = { on: '2018-06-05', start: '09:00', minutes: 40 }
  it('is not moved to where it stands by who writes why they cancel', async () => {
    expect(await moves({ ...stands, reason: '家人去世' })).toBe(false)
  })
  it.each([{ on: '2018-06-06' }, { start: '10:00' }, { minutes: 60 }, { corrects: 'm1' }])('is moved by %o', async (change) => {
    expect(await moves({ ...stands, ...change })).toBe(true)
  })
})
