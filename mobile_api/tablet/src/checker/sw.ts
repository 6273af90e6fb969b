/** Keeps the checker's page, so that it opens without network. What it knows of the issuer, the page keeps itself. */
declare const __SHELL_FILES__: string[]
declare const __SHELL_BUILD__: string

const worker = self as unknown as ServiceWorkerGlobalScope
const PREFIX = 'outreach-check-shell-'
const CACHE = PREFIX + __SHELL_BUILD__

worker.addEventListener('install', (event) => {
  const files = __SHELL_FILES__.map((url) => new Request(url, { cache: 'reload' }))
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(files)))
  void worker.skipWaiting() // nobody writes anything here: a new version takes over at once
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

worker.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== worker.location.origin) return
  const wanted = request.mode === 'navigate' ? './' : request
  event.respondWith(
    caches
      .open(CACHE)
      .then((cache) => cache.match(wanted, { ignoreSearch: true }))
      .then((kept) => kept ?? fetch(request)),
  )
})

export {}
