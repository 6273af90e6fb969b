/** The forms on the screen, each by what takes over its last keys and what writes its draft to the disk. */
export interface OpenForm {
  settle: () => void
  flush: () => Promise<void>
}
const open = new Set<OpenForm>()

let allClosed: () => void = () => undefined

/** Call this whenever the last form has closed: nothing more is to be written. */
export const whenAllClosed = (then: () => void): void => void (allClosed = then)

/** Count a form as open until the returned function is called. */
export function openForm(form: OpenForm): () => void {
  open.add(form)
  return () => {
    if (open.delete(form) && open.size === 0) allClosed()
  }
}

export const anyFormOpen = (): boolean => open.size > 0

/** Take over what was typed and only painted so far. */
export function settleForms(): void {
  for (const { settle } of open) settle()
}

/** Whatever is pressed, nothing is decided on less than every key that was typed; a field that is left is written. */
export function settleBeforeDeciding(): void {
  for (const event of ['click', 'submit']) document.addEventListener(event, settleForms, true)
  document.addEventListener('focusout', () => void flushDrafts(), true)
}

/** A word that an input method still composes is in no form yet: take it over as it stands. */
function takeOverComposed(): void {
  const field = document.activeElement as (Element & { composing?: boolean }) | null
  // Vue's mark, and the event upon which it reads the field.
  if (field?.composing) field.dispatchEvent(new CompositionEvent('compositionend'))
}

/** Write every draft on the screen to the disk now: before a lock, a hidden page, a camera. */
export async function flushDrafts(): Promise<void> {
  takeOverComposed()
  await Promise.all([...open].map(({ flush }) => flush()))
}
