import { beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { useDraft } from '@/ui/drafts'

/** A disk that is slow: each write ends when the test lets it. */
const disk = vi.hoisted(() => ({ drafts: new Map<string, unknown>(), written: [] as unknown[], ends: [] as (() => void)[] }))
vi.mock('@/ui/app', () => ({
  safe: () => ({
    drafts: disk.drafts,
    keepDraft: (_key: string, value: unknown) =>
      new Promise<void>((end) => {
        disk.written.push(value)
        disk.ends.push(end)
      }),
  }),
}))

const soon = (): Promise<void> => new Promise((done) => setTimeout(done))
beforeEach(() => {
  disk.written.length = 0
  disk.ends.length = 0
})

describe('a draft', () => {
  it('is called saved only when its last word is on the disk, however slow that is', async () => {
    const form = effectScope().run(() => useDraft('form', () => ({ step: 0 })))
    if (!form) throw new Error('no form')
    form.draft.step = 1
    void form.flush()
    await soon()
    form.draft.step = 2
    void form.flush() // waits for the first to end
    disk.ends[0]?.()
    await soon()
    expect([disk.written, form.state.value]).toEqual([[{ step: 1 }, { step: 2 }], 'saving'])
    disk.ends[1]?.()
    await soon()
    expect(form.state.value).toBe('saved')
  })
  it('does not come back with a key that was pressed while it was being sent', async () => {
    const form = effectScope().run(() => useDraft('form', () => ({ step: 0 })))
    if (!form) throw new Error('no form')
    let sent: () => void = () => undefined
    const sending = form.finish(() => new Promise<void>((done) => (sent = done)))
    await soon()
    form.draft.step = 1
    void form.flush()
    await soon()
    sent()
    await sending
    expect(disk.written).toEqual([])
  })
  it('is written on where the sending failed, with what was typed meanwhile', async () => {
    const form = effectScope().run(() => useDraft('form', () => ({ step: 0 })))
    if (!form) throw new Error('no form')
    let fail: (why: Error) => void = () => undefined
    const sending = form.finish(() => new Promise<void>((_done, failed) => (fail = failed)))
    await soon()
    form.draft.step = 1
    void form.flush()
    fail(new Error('full'))
    await expect(sending).rejects.toThrow('full')
    void form.flush()
    await soon()
    expect(disk.written).toEqual([{ step: 1 }])
  })
})
