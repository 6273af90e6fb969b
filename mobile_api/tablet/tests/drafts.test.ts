import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { LetGo } from '@/store/safe'
import { useDraft, type LiveDraft } from '@/ui/drafts'
import { anyFormOpen, whenAllClosed } from '@/ui/openForms'

/** A disk that is slow, or full: each write ends as the test lets it. */
const disk = vi.hoisted(() => {
  const written = [] as unknown[]
  const ends = [] as ((why?: Error) => void)[]
  const keepDraft = (_key: string, value: unknown) =>
    new Promise<void>((end, fail) => {
      written.push(value)
      ends.push((why) => (why ? fail(why) : end()))
    })
  return { written, ends, safe: { drafts: new Map<string, unknown>(), keepDraft } }
})
vi.mock('@/ui/app', () => ({ safe: () => disk.safe }))

interface Form {
  step: number
  place?: string
}
let count = 0
const scopes: { stop: () => void }[] = []
/** Open a form as a screen does; it is left by `leave`. */
function opened(key = `form ${++count}`) {
  const scope = effectScope()
  scopes.push(scope)
  const form = scope.run(() => useDraft<Form>(key, () => ({ step: 0 }))) as LiveDraft<Form>
  return { ...form, key, leave: () => scope.stop() }
}

const soon = (): Promise<void> => new Promise((done) => setTimeout(done))
const full = () => new DOMException('no room', 'QuotaExceededError')
beforeEach(() => {
  disk.written.length = 0
  disk.ends.length = 0
})
afterEach(async () => {
  for (const scope of scopes.splice(0)) scope.stop()
  for (let turn = 0; anyFormOpen() && turn < 9; turn += 1) {
    for (const end of disk.ends.splice(0)) end()
    await (vi.isFakeTimers() ? vi.advanceTimersByTimeAsync(3_000) : soon())
  }
  vi.useRealTimers()
})

describe('a draft', () => {
  it('is called saved only when its last word is on the disk, however slow that is', async () => {
    const form = opened()
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
    const form = opened()
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
    const form = opened()
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

describe('a form that was left before it was on the disk', () => {
  it('goes on where it is opened again, and no older word is written over a newer one', async () => {
    vi.useFakeTimers()
    const first = opened()
    first.draft.step = 1
    first.leave()
    await vi.advanceTimersByTimeAsync(0)
    disk.ends[0]?.(full())
    await vi.advanceTimersByTimeAsync(0)
    const again = opened(first.key)
    expect([again.draft.step, again.state.value]).toEqual([1, 'full'])
    again.draft.step = 2
    await vi.advanceTimersByTimeAsync(3_000) // by now there is room
    disk.ends[1]?.()
    await vi.advanceTimersByTimeAsync(10_000)
    expect([disk.written, again.state.value]).toEqual([[{ step: 1 }, { step: 2 }], 'saved'])
  })
  it('holds on until it is, and tells when nothing more is to be written', async () => {
    const closed = vi.fn()
    whenAllClosed(closed)
    const form = opened()
    form.draft.step = 1
    form.leave()
    await soon()
    expect([anyFormOpen(), closed.mock.calls.length]).toEqual([true, 0])
    disk.ends[0]?.()
    await soon()
    expect([anyFormOpen(), closed.mock.calls.length]).toEqual([false, 1])
  })
  it('writes nothing any more where the tablet is another window’s', async () => {
    vi.useFakeTimers()
    const form = opened()
    form.draft.step = 1
    form.leave()
    await vi.advanceTimersByTimeAsync(0)
    disk.ends[0]?.(new LetGo())
    await vi.advanceTimersByTimeAsync(20_000)
    expect([disk.written.length, anyFormOpen()]).toEqual([1, false])
  })
  it('takes what is found for it only then, and not what is found for another', async () => {
    const form = opened()
    let found: (place: string) => void = () => undefined
    const looking = form.during(async () => void (form.draft.place = await new Promise<string>((done) => (found = done))))
    form.leave()
    const other = opened()
    found('30.8 N')
    await looking
    await vi.waitFor(() => expect(disk.written).toEqual([{ step: 0, place: '30.8 N' }]))
    disk.ends[0]?.()
    expect(other.draft).toEqual({ step: 0 })
  })
  it('is said once, also where it was opened again and sent once more meanwhile', async () => {
    let said = 0
    let end: () => void = () => undefined
    const slowly = () => new Promise<void>((done) => {
      said += 1
      end = done
    })
    const form = opened()
    const sending = form.finish(slowly)
    await soon()
    form.leave()
    const again = opened(form.key)
    const oncemore = again.finish(slowly)
    await soon()
    end()
    await Promise.all([sending, oncemore])
    await again.finish(slowly)
    expect(said).toBe(1)
  })
})

describe('a form that is given up as its screen is left', () => {
  it('goes on, and is said, where it was opened again before that was on the disk', async () => {
    const said = vi.fn(() => Promise.resolve())
    let gone: () => void = () => undefined
    const form = opened()
    form.leave()
    const leaving = form.abandon(() => new Promise<void>((done) => (gone = done)))
    await soon()
    const again = opened(form.key)
    const saying = again.finish(said)
    gone()
    await Promise.all([leaving, saying])
    again.draft.step = 1
    await again.finish(said)
    expect(said).toHaveBeenCalledTimes(1)
  })
})

describe('a form in which nothing was written', () => {
  it('is not on the disk, but when something is about to refer to it', async () => {
    const form = opened()
    await form.flush()
    expect(disk.written).toEqual([])
    const kept = form.keep()
    await soon()
    disk.ends[0]?.()
    await kept
    expect([disk.written, form.state.value]).toEqual([[{ step: 0 }], 'saved'])
  })
})

describe('a form that a version before has begun', () => {
  it('has what was added since as it stands in a new one', () => {
    disk.safe.drafts.set('of before', { step: 1, said: undefined })
    const scope = effectScope()
    scopes.push(scope)
    const make = () => ({ step: 0, said: '', telephone: '' })
    const form = scope.run(() => useDraft('of before', make)) as LiveDraft<ReturnType<typeof make>>
    expect(form.draft).toEqual({ step: 1, said: '', telephone: '' })
  })
})
