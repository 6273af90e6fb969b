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
  let registration: ServiceWorkerRegistration | null = null
  const look = () => {
    waiting = registration?.waiting ?? null
    updateWaits.value = waiting !== null && navigator.serviceWorker.controller !== null
  }
  /** Ask for a newer one; a first one that did not come whole over a poor line is forgotten, and asked for anew. */
  const follow = async () => {
    const found = await navigator.serviceWorker.register('/tablet/sw.js', { scope: '/tablet/' })
    if (found === registration) return void (await found.update())
    registration = found
    look()
    found.addEventListener('updatefound', () => found.installing?.addEventListener('statechange', look))
  }
  const ask = () => {
    if (document.visibilityState === 'visible') void follow().catch(() => undefined)
  }
  await follow().catch(() => undefined)
  document.addEventListener('visibilitychange', ask)
  window.addEventListener('online', ask)
  setInterval(ask, HOURLY_MS)
}

/** Let the new version in; false while something of a form is not on the disk yet, which a reload would lose. */
export async function takeUpdate(): Promise<boolean> {
  await flushDrafts()
  if (anyFormOpen()) return false
  waiting?.postMessage('take-over')
  return true
}
