/** The server's part of the tablet's key: taken once from each life of the register, lengthened by each exchange, asked for when it is over. */
import type { Clock } from '../core/clock'
import type { LeaseAnswer, Problem, ShareAnswer } from '../core/wire'
import type { TabletDatabase } from '../store/database'
import type { Safe } from '../store/safe'
import { downOnly, problemSlug, type Send } from './transport'

/** A lease that moved by less is not written down. */
const WORTH_MS = 3_600_000

/** Keep up with the lease after an exchange. What does not come now comes after the next one. */
export async function keepLease(safe: Safe, send: Send): Promise<void> {
  const { session, state } = safe
  if (!session || state.halt !== null) return
  const lease = (await safe.db.vault())?.lease
  const { epoch } = state
  // A restored register may know neither the part nor the secret to ask with: the next end would be the last.
  if (!lease?.share || (lease.epoch ?? epoch) !== epoch) {
    const answer = await send('/api/v1/devices/lease', {}, session.token).catch(downOnly)
    if (answer?.status !== 200) return
    const { share, ask, lease_until } = answer.body as LeaseAnswer
    await safe.lend({ share, ask, until: Date.parse(lease_until) - state.offsetMs, epoch })
    return
  }
  const until = Date.parse(state.policy.lease_until ?? '') - state.offsetMs
  if (Math.abs(until - lease.until) > WORTH_MS) await safe.db.amendVault({ lease: { ...lease, until, epoch } })
}

export type ShareProblem = 'line' | 'revoked' | 'other'

/** Ask for the server's part again, from a locked tablet whose lease is over. */
export async function askShare(db: TabletDatabase, send: Send, clock: Clock): Promise<ShareProblem | null> {
  const vault = await db.vault()
  if (!vault?.lease) return 'other'
  const { replica, lease } = vault
  const answer = await send('/api/v1/devices/share', { replica, ask: lease.ask }, null).catch(downOnly)
  if (!answer) return 'line'
  if (answer.status !== 200) return problemSlug(answer.body as Problem) === 'revoked' ? 'revoked' : 'other'
  const { share, lease_until, server_time } = answer.body as ShareAnswer
  const until = Date.parse(lease_until) - (Date.parse(server_time) - clock.wall())
  await db.amendVault({ lease: { ...lease, share, until } })
  return null
}
