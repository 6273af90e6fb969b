import type { Lease } from '../store/database'
import type { SyncState } from '../store/records'

/** A clock that is further off than this is worth a look before setting out. */
const OFFSET_MS = 120_000

/** How this device's clock stands: a server in a demo has a clock of its own, which is no fault. */
export function clockState({ offsetMs, policy }: Pick<SyncState, 'offsetMs' | 'policy'>): 'demo' | 'fine' | 'off' {
  if (policy.clock === 'simulated') return 'demo'
  return Math.abs(offsetMs) <= OFFSET_MS ? 'fine' : 'off'
}

/** Whole days left in which the PIN opens this tablet without a line; null where nothing is lent. */
export function leaseDays(lease: Lease | undefined, now: number): number | null {
  return lease ? Math.max(0, Math.floor((lease.until - now) / 86_400_000)) : null
}
