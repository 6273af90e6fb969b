/** The forms on the screen, each by what writes its draft to the disk. */
const open = new Set<() => Promise<void>>()

/** Count a form as open until the returned function is called. */
export function openForm(flush: () => Promise<void>): () => void {
  open.add(flush)
  return () => void open.delete(flush)
}

export const anyFormOpen = (): boolean => open.size > 0

/** Write every draft on the screen to the disk now: before a lock, a hidden page, a camera. */
export async function flushDrafts(): Promise<void> {
  await Promise.all([...open].map((flush) => flush()))
}
