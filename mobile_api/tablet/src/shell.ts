/** Keeps the files of a page, never data, so that it opens without network. */
declare const __SHELL_FILES__: string[]
declare const __SHELL_BUILD__: string

export const worker = self as unknown as ServiceWorkerGlobalScope

/** Keep the build's files under a prefix, drop those of former builds, and answer what `serves` says. */
export function keepShell(prefix: string, serves: (url: URL) => boolean): void {
  const name = prefix + __SHELL_BUILD__

  worker.addEventListener('install', (event) => event.waitUntil(caches.open(name).then(fill)))

  worker.addEventListener('activate', (event) => {
    event.waitUntil(
      caches
        .keys()
        .then((names) => names.filter((other) => other.startsWith(prefix) && other !== name))
        .then((old) => Promise.all(old.map((other) => caches.delete(other))))
        .then(() => worker.clients.claim()),
    )
  })

  worker.addEventListener('fetch', (event) => {
    const { request } = event
    const url = new URL(request.url)
    if (request.method !== 'GET' || url.origin !== worker.location.origin || !serves(url)) return
    const wanted = request.mode === 'navigate' ? './' : request
    event.respondWith(
      caches
        .open(name)
        .then((cache) => cache.match(wanted, { ignoreSearch: true }))
        .then((kept) => kept ?? fetch(request)),
    )
  })
}

/** Fetch every file of this build. Fails where the page is of another one, as while a server is being updated. */
async function fill(cache: Cache): Promise<void> {
  const files = __SHELL_FILES__
  await cache.addAll(files.map((url) => new Request(url, { cache: 'reload' })))
  const page = (await (await cache.match('./'))?.text()) ?? ''
  // Without a line it would ask for files that nobody has kept, and stay white.
  if (!page.match(/assets\/[\w.-]+/g)?.every((url) => files.includes(url))) throw new Error('another build')
}
