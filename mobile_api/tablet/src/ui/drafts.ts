import { onScopeDispose, reactive, ref, toRaw, watch, type Ref } from 'vue'
import { isFull } from '../store/safe'
import { safe } from './app'
import { openForm } from './openForms'
import { typing, type Typing } from './typing'

/** After the form was told; from the last key to the disk it is a sixth of a second. */
const PAUSE_MS = 90
/** A draft that could not be written is tried again this often for as long as its form is open. */
const AGAIN_MS = 3_000

export type DraftState = 'saved' | 'saving' | 'failed' | 'full'

export interface LiveDraft<T> {
  draft: T
  state: Ref<DraftState>
  type: Typing['type']
  settle: () => void
  flush: () => Promise<void>
  finish: (say: () => Promise<unknown>) => Promise<void>
}

/**
 * A draft that is on the disk a moment after each change; `make` is used where there is none yet.
 *
 * `beside` is stored with it and not edited: what the form was opened for, as it was then.
 */
export function useDraft<T extends object>(key: string, make: () => T, beside: object = {}): LiveDraft<T> {
  const home = safe()
  const kept = home.drafts.get(key) as T | undefined
  const draft = reactive(kept ? structuredClone(kept) : make()) as T
  const state = ref<DraftState>('saved')
  let timer: ReturnType<typeof setTimeout> | null = null
  let writing: Promise<void> = Promise.resolve()
  let dropped = false
  let finishing = false
  /** How often something changed: what is on the disk is known by the count that was written. */
  let changes = 0
  // "Saved" is taken back with the letter itself, not when the form has been told of it.
  const { type, settle, waits } = typing(() => (state.value = 'saving'))

  const write = async () => {
    if (dropped || finishing) return
    const written = changes
    const value: unknown = JSON.parse(JSON.stringify({ ...toRaw(draft), ...beside }))
    await home.keepDraft(key, value).then(
      () => (state.value = changes === written && !waits() ? 'saved' : 'saving'),
      (error: unknown) => {
        state.value = isFull(error) ? 'full' : 'failed'
        timer ??= setTimeout(() => void flush(), AGAIN_MS)
      },
    )
  }
  const flush = () => {
    settle()
    if (timer !== null && !dropped) {
      clearTimeout(timer)
      timer = null
      writing = writing.then(write)
    }
    return writing
  }
  const stop = watch(
    () => draft,
    () => {
      if (dropped) return
      changes += 1
      state.value = 'saving'
      timer ??= setTimeout(() => void flush(), PAUSE_MS)
    },
    // At once, so that a flush right after a change does not miss it.
    { deep: true, flush: 'sync' },
  )
  const close = openForm({ settle, flush })
  onScopeDispose(() => {
    void flush()
    close()
    stop()
  })
  const drop = () => {
    dropped = true
    if (timer !== null) clearTimeout(timer)
    close()
  }
  /** Say what the form holds. The draft goes in the same step, and no key pressed meanwhile writes it anew. */
  const finish = async (say: () => Promise<unknown>) => {
    await flush()
    finishing = true
    try {
      await say()
      drop()
    } finally {
      finishing = false
      if (!dropped) timer ??= setTimeout(() => void flush(), PAUSE_MS)
    }
  }
  return { draft, state, type, settle, flush, finish }
}
