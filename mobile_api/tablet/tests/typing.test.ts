import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openForm, settleForms } from '@/ui/openForms'
import { typed, typing } from '@/ui/typing'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('typing', () => {
  it('tells the form a moment after the last key, each field once and with its last text', () => {
    const told: string[] = []
    const { type, waits } = typing(() => told.push('noted'))
    type('a', () => told.push('a: 1'))
    type('b', () => told.push('b: 2'))
    vi.advanceTimersByTime(40)
    type('a', () => told.push('a: 12'))
    expect([told, waits()]).toEqual([['noted', 'noted', 'noted'], true])
    vi.advanceTimersByTime(59)
    expect(waits()).toBe(true)
    vi.advanceTimersByTime(1)
    expect([told.slice(3), waits()]).toEqual([['a: 12', 'b: 2'], false])
  })
  it('tells somebody who types without a pause too', () => {
    const told: number[] = []
    const { type } = typing(() => undefined)
    for (let key = 1; key <= 10; key += 1) {
      type('a', () => told.push(key))
      vi.advanceTimersByTime(50)
    }
    expect(told).toEqual([4, 8])
  })
  it('tells at once what is waiting when something is to be decided, and nothing twice', () => {
    const told: string[] = []
    const { type, settle } = typing(() => undefined)
    type('a', () => told.push('a'))
    const close = openForm({ settle, flush: () => Promise.resolve() })
    settleForms()
    close()
    vi.advanceTimersByTime(1_000)
    expect(told).toEqual(['a'])
  })
  it('a form that is closed is not asked any more', () => {
    const told: string[] = []
    openForm({ settle: () => told.push('settled'), flush: () => Promise.resolve() })()
    settleForms()
    expect(told).toEqual([])
  })
  it('a model is read as it stands and written when it is told', () => {
    const draft = { remark: 'before' }
    const model = typed(typing(() => undefined), 'remark', () => draft.remark, (value) => (draft.remark = value))
    model.value = 'after'
    expect(draft.remark).toBe('before')
    vi.advanceTimersByTime(60)
    expect(draft.remark).toBe('after')
  })
})
