import type { Lease } from '../store/database'
import type { SyncState } from '../store/records'

/** A clock that is further off than this is worth a look before setting out. */
const OFFSET_MS = 120_000

/** How this device's clock stands: a server in a demo has a clock of its own, which is no fault. */
export function clockState({ offsetMs, policy }: Pick<SyncState, 'offsetMs' | 'policy'>): 'demo' | 'fine' | 'off' {
  if (policy.clock === 'simulated') return 'demo'
  return Math.abs(offsetMs) <= OFFSET_MS ? 'fine' : 'off'
}

/**
 * Where this stands with the server's time once a clock that was ahead was put right without a line; null where it was not.
 *
 * One that went back before the last word with the server, as by an empty battery, is not believed.
 */
export function putRight(state: SyncState, wall: number): Pick<SyncState, 'syncedAt' | 'offsetMs'> | null {
  const { syncedAt, offsetMs } = state
  if (syncedAt === null || clockState(state) !== 'off' || wall > syncedAt - OFFSET_MS) return null
  return wall < syncedAt + offsetMs ? null : { syncedAt: syncedAt + offsetMs, offsetMs: 0 }
}

/** Whole days left in which the PIN opens this tablet without a line; null where nothing is lent. */
export function leaseDays(lease: Lease | undefined, now: number): number | null {
  return lease ? Math.max(0, Math.floor((lease.until - now) / 86_400_000)) : null
}
