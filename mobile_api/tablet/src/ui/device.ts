import type { Health } from '../sync/engine'

/** How this device is doing, for the office and for the Ready screen. */
export async function health(): Promise<Health> {
  const storage = navigator.storage as StorageManager | undefined
  const [persisted, estimate] = await Promise.all([
    storage?.persisted?.().catch(() => false) ?? false,
    storage?.estimate?.().catch(() => null) ?? null,
  ])
  const free = estimate?.quota !== undefined ? (estimate.quota - (estimate.usage ?? 0)) / 2 ** 20 : null
  return { persisted, free_mb: free === null ? null : Math.floor(free) }
}

/** Whether the app's own files are kept here whole: else it does not open without a line. */
export async function isKept(): Promise<boolean> {
  if (!('serviceWorker' in navigator)) return false
  return ((await navigator.serviceWorker.getRegistration())?.active ?? null) !== null
}

/** What the browser would answer if asked for the camera or the position; null where it does not tell. */
export async function permission(name: 'camera' | 'geolocation'): Promise<PermissionState | null> {
  try {
    return (await navigator.permissions.query({ name: name as PermissionName })).state
  } catch {
    return null
  }
}
