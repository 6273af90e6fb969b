/** Typing: the letter is painted first, and only then the form works out what follows from it. */
import { computed, type WritableComputedRef } from 'vue'

/** From the last key to the form's answer; and the longest it waits while somebody types on. */
const PAUSE_MS = 60
const LONGEST_MS = 200

export interface Typing {
  /** Note what a field says now; `write` tells the form, a moment after the letter stands there. */
  type: (field: string, write: () => void) => void
  /** Tell it now. */
  settle: () => void
  /** whether something was typed that the form has not been told */
  waits: () => boolean
}

/** `noted` is called at each key, before anything is told. */
export function typing(noted: () => void): Typing {
  const waiting = new Map<string, () => void>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let since = 0

  function settle(): void {
    clearTimeout(timer)
    const writes = [...waiting.values()]
    waiting.clear()
    for (const write of writes) write()
  }
  function type(field: string, write: () => void): void {
    const now = performance.now()
    if (waiting.size === 0) since = now
    waiting.set(field, write)
    noted()
    clearTimeout(timer)
    timer = setTimeout(settle, Math.max(0, Math.min(PAUSE_MS, since + LONGEST_MS - now)))
  }
  return { type, settle, waits: () => waiting.size > 0 }
}

/** A text of the form for `v-model`: read as it stands, written when its letters are painted. */
export const typed = (
  { type }: Pick<Typing, 'type'>,
  field: string,
  get: () => string,
  set: (value: string) => void,
): WritableComputedRef<string> => computed({ get, set: (value) => type(field, () => set(value)) })
