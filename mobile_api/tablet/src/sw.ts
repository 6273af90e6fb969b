/** Keeps the tablet's shell. A new version waits until a person, with no draft open, lets it in. */
import { keepShell, worker } from './shell'

keepShell('outreach-shell-', (url) => url.pathname.startsWith('/tablet/'))

worker.addEventListener('message', (event) => {
  if (event.data === 'take-over') void worker.skipWaiting()
})
