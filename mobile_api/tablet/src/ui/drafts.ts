import { onScopeDispose, reactive, ref, toRaw, watch, type Ref } from 'vue'
import { safe } from './app'
import { openForm } from './openForms'

const PAUSE_MS = 150

export interface LiveDraft<T> {
  draft: T
  state: Ref<'saved' | 'saving' | 'failed'>
  flush: () => Promise<void>
  drop: () => void
}

/** A draft that is on the disk a moment after each change; `make` is used where there is none yet. */
export function useDraft<T extends object>(key: string, make: () => T): LiveDraft<T> {
  const home = safe()
  const kept = home.drafts.get(key) as T | undefined
  const draft = reactive(kept ? structuredClone(kept) : make()) as T
  const state = ref<'saved' | 'saving' | 'failed'>('saved')
  let timer: ReturnType<typeof setTimeout> | null = null
  let writing: Promise<void> = Promise.resolve()
  let dropped = false

  const write = async () => {
    const value: unknown = JSON.parse(JSON.stringify(toRaw(draft)))
    await home.change({ drafts: { put: new Map([[key, value]]) } }).then(
      () => (state.value = timer === null ? 'saved' : 'saving'),
      () => (state.value = 'failed'),
    )
  }
  const flush = () => {
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
      state.value = 'saving'
      timer ??= setTimeout(() => void flush(), PAUSE_MS)
    },
    { deep: true },
  )
  const close = openForm(flush)
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
  return { draft, state, flush, drop }
}
