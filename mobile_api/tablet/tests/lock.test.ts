import { beforeAll, describe, expect, it, vi } from 'vitest'
import 'vue' // before there is a document: it would draw on it
import { TabletDatabase } from '@/store/database'
import { LetGo, Safe } from '@/store/safe'
import { PIN, ROUNDS } from './support/tablet'

vi.stubGlobal('document', { activeElement: null })
vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no line')))
const { app, lock, safe, unlock } = await import('@/ui/app')

const USER = { id: 'u', full_name: '陈医生', role: 'assessor', division: '顺庆区', categories: [] } as const
beforeAll(async () => {
  const made = await Safe.create(new TabletDatabase(), PIN, 1, ROUNDS)
  await made.change({ session: { device: 'd', token: 'secret', user: { ...USER, categories: [] }, label: '1' } })
})
const unlocked = async (): Promise<Safe> => {
  await unlock(PIN)
  await vi.waitFor(() => expect(app.line).toBe('waiting'))
  return safe()
}

describe('a tablet that is locked and opened again', () => {
  it('is not taken for another window by what comes late from before', async () => {
    const before = await unlocked()
    await lock()
    const after = await unlocked()
    expect(after).not.toBe(before)
    // The place of a photo, or a paper that was on its way.
    await before.change({ drafts: { put: new Map([['late', 1]]) } }).catch((error: unknown) => expect(error).toBeInstanceOf(LetGo))
    await after.keepDraft('nomination/new', { name: '周小溪' })
    expect([app.phase, safe()]).toEqual(['open', after])
    await lock()
  })

  it('has all that was being written as it was locked', async () => {
    const before = await unlocked()
    const writing = before.change(async () => {
      await new Promise((done) => setTimeout(done, 300)) // a slow disk
      return { drafts: { put: new Map([['photo', 1]]) } }
    })
    await lock()
    const after = await unlocked()
    await writing
    expect(after.drafts.get('photo')).toBe(1)
    await after.keepDraft('nomination/new', { name: '周小溪' })
    expect(app.phase).toBe('open')
    await lock()
  })
})
