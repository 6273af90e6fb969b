/**
 * The tablet's own engine against the real server, through a line that is cut after a random byte.
 *
 * Run by `tests/e2e/test_engine_on_a_line.py`, which lays the line and reads the register afterwards.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { receiptOf, visits } from '@/book/views'
import { sha256Hex } from '@/core/bytes'
import { deviceClock } from '@/core/clock'
import type { EvidenceKind, SubmitEvaluation } from '@/core/wire'
import { TabletDatabase } from '@/store/database'
import type { Media } from '@/store/records'
import { Safe } from '@/store/safe'
import { outbox, Engine } from '@/sync/engine'
import { enrolWith } from '@/sync/enrolment'
import { SyncLoop } from '@/sync/loop'
import { send } from '@/sync/transport'
import { Xhr } from './xhr'

const { OUTREACH_LINE, OUTREACH_CODE, OUTREACH_FILM, OUTREACH_PEOPLE } = process.env as Record<string, string>
const PIN = '246813'
const ROUNDS = 1000
/** More than a line that is cut every few kilobytes may need; a tablet would go on for ever. */
const MOST_ROUNDS = 400
const KINDS: EvidenceKind[] = ['portrait', 'whole_body', 'affected_part', 'environment', 'signature_resident', 'signature_assessor']
const health = () => Promise.resolve({ persisted: true, free_mb: 1000 })

const there = globalThis.fetch
globalThis.fetch = (path, init) => {
  const { cache, redirect, ...rest } = init ?? {}
  void [cache, redirect] // a browser's words
  return there(new URL(String(path), OUTREACH_LINE), rest)
}
Object.assign(globalThis, { XMLHttpRequest: Xhr, location: new URL(OUTREACH_LINE ?? '') })

const loopOf = (safe: Safe) => new SyncLoop(safe, new Engine(safe, send, deviceClock, health))
const now = (safe: Safe) => deviceClock.wall() + safe.state.offsetMs

async function pictures(owner: string, me: string, other: string, at: number): Promise<{ media: Media; bytes: Uint8Array<ArrayBuffer> }[]> {
  const kinds: [EvidenceKind, string | null][] = [...KINDS.map((kind): [EvidenceKind, string | null] => [kind, kind === 'signature_assessor' ? me : null]), ['signature_assessor', other]]
  const files = readdirSync(join(OUTREACH_FILM ?? '', owner)).sort()
  return Promise.all(
    kinds.map(async ([kind, signer], index) => {
      const bytes = new Uint8Array(readFileSync(join(OUTREACH_FILM ?? '', owner, files[index] ?? '')))
      const taken_at = new Date(at).toISOString()
      const media: Media = {
        ...{ sha256: await sha256Hex(bytes), kind, signer, owner, taken_at, size: bytes.length, type: 'image/jpeg' },
        ...{ place: null, state: 'declared', uploadUrl: null },
      }
      return { media, bytes }
    }),
  )
}

it('brings three homes and all their pictures to the server, exactly once, whatever is cut', { timeout: 200_000 }, async () => {
  const db = new TabletDatabase('line')
  let safe = await Safe.create(db, PIN, deviceClock.wall(), ROUNDS)
  let problem: string | null = 'line'
  for (let turn = 0; turn < MOST_ROUNDS && problem === 'line'; turn += 1) {
    problem = await enrolWith(safe, send, deviceClock, { code: OUTREACH_CODE ?? '', label: 'an engine on a line' })
  }
  expect(problem).toBe(null)
  let rounds = 0
  const talkUntil = async (isDone: () => boolean) => {
    while (!isDone() && rounds < MOST_ROUNDS) {
      const loop = loopOf(safe)
      const talking = loop.nudge()
      rounds += 1
      // Each third round the tablet dies in the middle of it and comes back from its disk.
      if (rounds % 3 === 0) {
        await new Promise((later) => setTimeout(later, 150))
        loop.stop()
        await talking
        safe = await Safe.unlock(db, PIN)
      } else {
        await talking
        loop.stop()
      }
    }
  }
  await talkUntil(() => safe.state.complete)
  const people = (OUTREACH_PEOPLE ?? '').split(',')
  const me = safe.session?.user.id ?? ''
  const other = [...safe.rows.keys()].find((key) => key.startsWith('colleague/'))?.slice('colleague/'.length) ?? ''
  for (const [index, name] of people.entries()) {
    const visit = visits(safe).find(({ resident }) => resident.name === name)
    if (!visit) throw new Error(`${name} is not on the tablet`)
    const at = now(safe)
    const taken = await pictures(String(index), me, other, at)
    const args: SubmitEvaluation = {
      evaluation: crypto.randomUUID(),
      visit: visit.id,
      application: visit.application,
      parts: [{ category: 'physical', findings: { independence: 'none', condition: '1i' }, grade: 1, reason: '' }],
      ...{ grade: 1, identity_checked: true, guardian_present: false, co_signers: [other], place: null, remark: '' },
      consent: { by: 'resident', name },
      arrived_at: new Date(at).toISOString(),
      evaluated_at: new Date(at).toISOString(),
      media: taken.map(({ media: { sha256, kind, size, type, taken_at, place } }) => ({ sha256, kind, size, type, taken_at, place })),
    }
    await safe.say('submit_evaluation', args, at, { media: { add: taken.map(({ media, bytes }) => ({ media: { ...media, owner: visit.id }, bytes })) } })
  }
  const isSafe = () => [...safe.log.values()].every((entry) => receiptOf(safe, entry) === 'all_safe')
  await talkUntil(isSafe)
  expect([...safe.outcomes.values()].map(({ outcome, was, message }) => [was ?? outcome, message ?? ''])).toEqual(people.map(() => ['applied', '']))
  expect([outbox(safe.log, safe.state).length, isSafe()]).toEqual([0, true])
})
