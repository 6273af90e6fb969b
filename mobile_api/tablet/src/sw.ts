/** Keeps the shell, never data. A new version waits until a person, with no draft open, lets it in. */
declare const __SHELL_FILES__: string[]
declare const __SHELL_BUILD__: string

const worker = self as unknown as ServiceWorkerGlobalScope
const PREFIX = 'outreach-shell-'
const CACHE = PREFIX + __SHELL_BUILD__

worker.addEventListener('install', (event) => {
  event.waitUntil(
    caches.open(CACHE).then((cache) => cache.addAll(__SHELL_FILES__.map((url) => new Request(url, { cache: 'reload' })))),
  )
})

worker.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith(PREFIX) && name !== CACHE))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => worker.clients.claim()),
  )
})

worker.addEventListener('message', (event) => {
  if (event.data === 'take-over') void worker.skipWaiting()
})

worker.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== worker.location.origin) return
  if (!url.pathname.startsWith('/tablet/')) return
  const wanted = request.mode === 'navigate' ? './' : request
  event.respondWith(
    caches
      .open(CACHE)
      .then((cache) => cache.match(wanted, { ignoreSearch: true }))
      .then((kept) => kept ?? fetch(request)),
  )
})
