import { ref } from 'vue'
import { anyFormOpen, flushDrafts } from './openForms'

/** A new version of the app is here and waits for a person to let it in. */
export const updateWaits = ref(false)

/** A tablet that stays open for days asks for a new version this often. */
const HOURLY_MS = 3_600_000

let waiting: ServiceWorker | null = null

/** Register the service worker; every tab saves and reloads when a new one takes over. */
export async function watchForUpdates(): Promise<void> {
  if (!('serviceWorker' in navigator)) return
  let controlled = navigator.serviceWorker.controller !== null
  let reloading = false
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    // Storage was cleared: a reload would throw away what is still in memory and can be sent.
    if (navigator.serviceWorker.controller === null) return
    // The first worker of all takes over a page that is already of its version.
    const isFirst = !controlled
    controlled = true
    if (isFirst || reloading) return
    reloading = true
    void flushDrafts().finally(() => location.reload())
  })
  const registration = await navigator.serviceWorker.register('/tablet/sw.js', { scope: '/tablet/' }).catch(() => null)
  if (!registration) return
  const look = () => {
    waiting = registration.waiting
    updateWaits.value = waiting !== null && navigator.serviceWorker.controller !== null
  }
  look()
  const ask = () => {
    if (document.visibilityState === 'visible') void registration.update().catch(() => undefined)
  }
  document.addEventListener('visibilitychange', ask)
  setInterval(ask, HOURLY_MS)
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', look)
  })
}

/** Let the new version in; false while something of a form is not on the disk yet, which a reload would lose. */
export async function takeUpdate(): Promise<boolean> {
  await flushDrafts()
  if (anyFormOpen()) return false
  waiting?.postMessage('take-over')
  return true
}
