/** Keeps the checker's page. What it knows of the issuer, the page keeps itself. */
import { keepShell, worker } from '../shell'

keepShell('outreach-check-shell-', () => true)

// Nobody writes anything here: a new version takes over at once.
worker.addEventListener('install', () => void worker.skipWaiting())
