import type { Clock } from '../core/clock'
import type { EnrolAnswer } from '../core/wire'
import type { Safe } from '../store/safe'
import { downOnly, problemSlug, type Answer, type Send } from './transport'

const KNOWN = ['unknown-code', 'code-used', 'code-expired', 'too-many', 'fork'] as const
export type EnrolProblem = (typeof KNOWN)[number] | 'line' | 'other'

/**
 * Give the server a one-time code with this tablet's key and replica, and keep the token it answers.
 *
 * For a tablet that was enrolled before, only the session changes: its log goes on where it was.
 */
export async function enrolWith(
  safe: Safe,
  send: Send,
  clock: Clock,
  { code, label }: { code: string; label: string },
): Promise<EnrolProblem | null> {
  const body = { code: code.trim().toUpperCase(), label, public_key: safe.publicKey, replica: safe.replica }
  const answer = await send('/api/v1/devices/enrol', body, null).catch(downOnly)
  if (!answer) return 'line'
  if (answer.status !== 201) return problemOf(answer)
  const { device, token, user, epoch, server_time, federation_key, receipt_key } = answer.body as EnrolAnswer
  const offsetMs = Date.parse(server_time) - clock.wall()
  await safe.change({ session: { device, token, user, label }, state: { epoch, offsetMs, policy: { ...safe.state.policy, receipt_key: receipt_key ?? null }, halt: null } })
  await safe.trust(federation_key)
  return null
}

function problemOf({ status, body }: Answer): EnrolProblem {
  if (status === 429) return 'too-many'
  const slug = problemSlug(body)
  return KNOWN.find((item) => item === slug) ?? 'other'
}
