/** All that talks to the office, as one piece that is loaded after the lock screen. */
import { deviceClock } from '../core/clock'
import type { Safe } from '../store/safe'
import { Engine } from '../sync/engine'
import { keepLease } from '../sync/lease'
import { SyncLoop } from '../sync/loop'
import { send } from '../sync/transport'
import { health } from './device'

export { enrolWith } from '../sync/enrolment'
export { fetchCertificate } from '../sync/files'
export { handIn, handInLocked } from '../sync/handin'
export { askShare } from '../sync/lease'
export { health, isKept, permission } from './device'
export { send }

export const lineOf = (safe: Safe): SyncLoop =>
  new SyncLoop(safe, new Engine(safe, send, deviceClock, health), Math.random, () => keepLease(safe, send))
