import { ref } from 'vue'
import type { MessageKey } from '../i18n'
import { isFull } from '../store/safe'

export const whyNotSaved = (error: unknown): MessageKey => (isFull(error) ? 'save.full' : 'save.failed')

/** This very picture was taken before: a file chosen twice shows nothing new. */
export class SamePicture extends Error {}

export const whyNotKept = (error: unknown): MessageKey =>
  error instanceof SamePicture ? 'photo.same' : isFull(error) ? 'photo.full' : 'photo.failed'

/** One saving at a time: whether it is under way, and what to say where it failed. */
export function useSaving() {
  const busy = ref(false)
  const failed = ref<MessageKey | null>(null)

  /** Let the work run and tell whether it was done; it does not begin while another is under way. */
  async function saving(work: () => Promise<void>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    failed.value = null
    try {
      await work()
      return true
    } catch (error) {
      failed.value = whyNotSaved(error)
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, failed, saving }
}
