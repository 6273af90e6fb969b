import { effectScope, onScopeDispose, reactive, ref, toRaw, watch, type Ref } from 'vue'
import { plain } from '../core/jcs'
import { AnotherTab, isFull, LetGo, type Safe } from '../store/safe'
import { safe } from './app'
import { openForm } from './openForms'
import { typing, type Typing } from './typing'

/** After the form was told; from the last key to the disk it is a sixth of a second. */
const PAUSE_MS = 90
/** A draft that could not be written is tried again this often until it is, also where its screen was left. */
const AGAIN_MS = 3_000

export type DraftState = 'saved' | 'saving' | 'failed' | 'full'

export interface LiveDraft<T> {
  draft: T
  state: Ref<DraftState>
  type: Typing['type']
  settle: () => void
  flush: () => Promise<void>
  /** Write it as it stands, also where nothing was changed yet. */
  keep: () => Promise<void>
  /** Say what the form holds; the draft goes in the same step, unless `then` puts another in its place. */
  finish: (say: () => Promise<unknown>, then?: () => void) => Promise<void>
  /** Give the form up as its screen is left; where it was opened again before that is on the disk, it goes on. */
  abandon: (forget: () => Promise<unknown>) => Promise<void>
  /** Do what takes its time: what comes of it belongs to this form, also where its screen was left. */
  during: (work: () => Promise<void>) => Promise<void>
}

interface Held<T> extends LiveDraft<T> {
  home: Safe
  /** Count a screen that shows it, until the returned function is called. */
  shown: () => () => void
}

/** One writer a draft: what is not on the disk yet goes on where its form is opened again, and is overwritten by none. */
const held = new Map<string, Held<object>>()

/**
 * A draft that is on the disk a moment after each change; where nothing is written yet it is as `make` says.
 *
 * `beside` is stored with it and not edited: what the form was opened for, as it was then.
 */
export function useDraft<T extends object>(key: string, make: () => T, beside: object = {}): LiveDraft<T> {
  const home = safe()
  const before = held.get(key) as Held<T> | undefined
  const one = before?.home === home ? before : hold(home, key, make, beside)
  onScopeDispose(one.shown())
  return one
}

function hold<T extends object>(home: Safe, key: string, make: () => T, beside: object): Held<T> {
  // What a version before did not ask for, or a corrected copy does not say, stands as in a new form.
  const draft = reactive({ ...make(), ...(plain(home.drafts.get(key) ?? {}) as object) }) as T
  const state = ref<DraftState>('saved')
  /** The form outlives its screen for as long as something is to be written. */
  const scope = effectScope(true)
  let timer: ReturnType<typeof setTimeout> | null = null
  let writing: Promise<void> = Promise.resolve()
  let sending: Promise<void> | null = null
  let leaving: Promise<void> = Promise.resolve()
  let finishing = false
  let dropped = false
  /** screens that show it, and work under way for it */
  let users = 0
  /** How often something changed: what is on the disk is known by the count that was written. */
  let changes = 0
  let written = 0
  // "Saved" is taken back with the letter itself, not when the form has been told of it.
  const { type, settle, waits } = typing(() => (state.value = 'saving'))

  const later = (wait: number) => (timer ??= setTimeout(() => void flush(), wait))
  const write = async () => {
    if (dropped || finishing) return
    const count = changes
    const value: unknown = JSON.parse(JSON.stringify({ ...toRaw(draft), ...beside }))
    await home.keepDraft(key, value).then(() => {
      written = count
      state.value = changes === count && !waits() ? 'saved' : 'saving'
    }, failed)
    rest()
  }
  const failed = (error: unknown) => {
    // The tablet is another window's now: what lies there is not written over.
    if (error instanceof LetGo || error instanceof AnotherTab) return drop()
    state.value = isFull(error) ? 'full' : 'failed'
    later(AGAIN_MS)
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
  const changed = () => {
    if (dropped) return
    changes += 1
    state.value = 'saving'
    later(PAUSE_MS)
  }
  // At once, so that a flush right after a change does not miss it.
  scope.run(() => watch(() => draft, changed, { deep: true, flush: 'sync' }))
  const keep = () => {
    changed()
    return flush()
  }
  const close = openForm({ settle, flush })
  const forget = () => {
    scope.stop()
    if (held.get(key) === one) held.delete(key)
    close()
  }
  const drop = () => {
    dropped = true
    if (timer !== null) clearTimeout(timer)
    forget()
  }
  const rest = () => {
    if (users === 0 && !dropped && written === changes && !waits()) forget()
  }
  const used = () => {
    users += 1
    return () => {
      users -= 1
      void flush().then(rest)
    }
  }
  const during = async (work: () => Promise<void>) => {
    const done = used()
    await work().finally(done)
  }
  const send = async (say: () => Promise<unknown>, then: () => void) => {
    await flush()
    if (dropped) return
    finishing = true
    try {
      await say()
      then()
    } finally {
      // No key pressed meanwhile was written; where it was not said, the draft is.
      finishing = false
      if (!dropped && written < changes) later(PAUSE_MS)
    }
  }
  const finish = (say: () => Promise<unknown>, then: () => void = drop) =>
    (sending ??= leaving.then(() => during(() => send(say, then))).finally(() => (sending = null)))
  const abandon = (forget: () => Promise<unknown>) => {
    const giveUp = async () => send(forget, () => void (users === 1 && drop()))
    // What did not go from the disk is there when the form is opened the next time.
    return sending ?? (leaving = during(giveUp).catch(() => undefined))
  }
  const one: Held<T> = { home, draft, state, type, settle, flush, keep, finish, abandon, during, shown: used }
  held.set(key, one as Held<object>)
  return one
}
