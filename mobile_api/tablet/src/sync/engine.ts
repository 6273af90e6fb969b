import { APP } from '../book/version'
import { utf8 } from '../core/bytes'
import { CHAIN_START, type Mutation } from '../core/chain'
import type { Clock } from '../core/clock'
import { newId } from '../core/ids'
import { doubtAbout, saysOf } from '../core/receipts'
import type { CertificateRow, DisputeRow, Policy, Problem, PullAnswer, SyncAnswer, SyncRequest } from '../core/wire'
import { mediaOf, ownerOf, type Media, type StoredOutcome, type SyncState } from '../store/records'
import type { Change } from '../store/change'
import { isFull, type Safe } from '../store/safe'
import { applyPull, BadPage, type AppliedPull } from './pulling'
import { downOnly, problemSlug, type Answer, type Send } from './transport'

/** What one exchange carries at most, each way; on a line that breaks off, less and less. */
const MOST_BYTES = 65_536
const LEAST_BYTES = 4_096
const PUSH_COUNT = 50
/** Sent mutations stay this long, so that a restored server can be told again. */
export const SENT_BOX_MS = 30 * 86_400_000

export interface Health {
  persisted: boolean
  free_mb: number | null
}

/** What one exchange came to: go on at once, rest, wait for the line, the server, room on the disk, or a person. */
export type Step = 'more' | 'rest' | 'down' | 'later' | 'full' | 'halted'

/** What a pulled page changes, and whether others follow. */
type TurnedPage = Pick<Change, 'rows' | 'files' | 'outcomes'> & { state: Partial<SyncState>; more: boolean; spoilt?: boolean }

/** One replica's conversation with the server, one exchange at a time. */
export class Engine {
  private room = MOST_BYTES

  constructor(
    private readonly safe: Safe,
    private readonly send: Send,
    private readonly clock: Clock,
    private readonly health: () => Promise<Health>,
  ) {}

  /** Send what waits and take what changed, in one round trip. */
  async exchange(): Promise<Step> {
    const { state, session } = this.safe
    if (!session || state.halt === 'revoked') return 'halted'
    const request = await this.request()
    const answer = await this.send('/api/v1/sync', request, session.token).catch(downOnly)
    this.room = answer ? Math.min(MOST_BYTES, this.room * 2) : Math.max(LEAST_BYTES, this.room / 2)
    if (answer === null) return 'down'
    if (answer.status === 200) return this.accept(request, answer.body as SyncAnswer)
    return this.refused(answer)
  }

  private async request(): Promise<SyncRequest> {
    const { state, replica, log } = this.safe
    const { persisted, free_mb } = await this.health()
    const waiting = outbox(log, state)
    const oldest = waiting[0] ? this.clock.wall() + state.offsetMs - Date.parse(waiting[0].at) : 0
    const shut = state.halt === 'fork' || state.halt === 'gap' || hasHole(waiting, state)
    const push = shut ? null : batch(waiting, state, this.room)
    return {
      replica,
      schema: 1,
      app: APP,
      rid: newId(this.clock.wall()),
      clock: { wall: new Date(this.clock.wall()).toISOString(), mono_ms: Math.round(this.clock.mono()) },
      health: { persisted, free_mb, outbox: waiting.length, oldest_h: Math.max(0, Math.round(oldest / 36e5)) },
      ...(push && { push }),
      ...(lacksReceipt(state) && { receipt: true as const }),
      pull: { view: state.view, digest: state.digest, max_bytes: this.room },
    }
  }

  private async accept(request: SyncRequest, answer: SyncAnswer): Promise<Step> {
    if (answer.rid !== request.rid) return 'later' // another request's answer, come too late
    const { safe } = this
    const position = this.position(answer, request)
    const { ackedSeq = safe.state.ackedSeq } = position
    if (position.halt === 'fork') {
      await safe.change({ state: position })
      return 'halted'
    }
    const policy = { ...safe.state.policy, ...answer.policy }
    const proof = await this.proof(answer, policy)
    const change: Change = { outcomes: this.outcomes(answer, proof.doubt ? undefined : (proof.receipt ?? undefined)) }
    const state: Partial<SyncState> = {
      ...position,
      // Of what a restored office lacks its rows show nothing, also while they come page by page.
      settledSeq: Math.min(safe.state.settledSeq, ackedSeq),
      epoch: answer.epoch,
      offsetMs: Date.parse(answer.server_time) - this.clock.wall(),
      syncedAt: this.clock.wall(),
      missing: answer.blobs_missing,
      policy,
      ...proof,
      halt: position.halt ?? null,
    }
    const waiting = outbox(safe.log, { ...safe.state, ...position })
    if (hasHole(waiting, { ...safe.state, ...position })) state.halt ??= 'damaged'
    const waits = waiting.length > 0 && state.halt === null
    // Pushed, and not further than before: told again at once, it would be told without end.
    const deaf = waits && request.push !== undefined && ackedSeq === safe.state.ackedSeq
    const now = { ...safe.state, ...state }
    // On a receipt that does not hold, nothing that only this tablet has is let go; nor where the server
    // lacks records: of the pictures that they declare it misses none, because it knows of none.
    const keepsAll = now.doubt !== null || position.halt !== undefined
    const media = keepsAll ? [] : verified(safe, now)
    const meta = [...media, ...missedAgain(safe, answer.blobs_missing)]
    change.prune = keepsAll ? [] : this.prunable(ackedSeq, answer.server_time)
    const del = keepsAll ? [] : forgotten(safe, change.prune)
    change.media = { meta, dropBytes: media.map(({ sha256 }) => sha256), del }
    const page = answer.pull && (await this.turned(answer.pull, ackedSeq))
    const room = await this.keep({ ...change, state }, page)
    await safe.trust(answer.policy?.federation_key)
    if (deaf || page?.spoilt) return 'later'
    if (waits || (room && page?.more)) return 'more'
    return room ? 'rest' : 'full'
  }

  /** Work out what a page changes; one that does not add up makes the tablet begin again from nothing, once at once. */
  private async turned(page: PullAnswer, ackedSeq: number): Promise<TurnedPage> {
    const { safe } = this
    const rows = await applyPull(safe.rows, safe.state, page).catch(badPageOnly)
    const fromNothing = { view: null, digest: null, complete: false }
    if (!rows) return { state: fromNothing, more: true, spoilt: safe.state.view === null }
    const { view, digest, more } = page
    // Of rows that do not open, what did not come again is nothing that this tablet should have.
    if (!more) rows.del.push(...safe.damaged.filter(({ store }) => store === 'rows').map(({ k }) => String(k)))
    const state = { view, digest, complete: !more, anew: rows.anew, ...(!more && { settledSeq: ackedSeq }) }
    return { rows, files: { del: staleFiles(safe, rows, more) }, outcomes: decidedAndGone(safe, rows), state, more }
  }

  /** Write what an answer says and its page in one step; on a full disk without the page, which comes again. */
  private async keep(told: Change, page: TurnedPage | null): Promise<boolean> {
    const { rows, files, outcomes = [], state } = page ?? {}
    const whole: Change = {
      ...told,
      ...(rows && { rows }),
      ...(files && { files }),
      outcomes: [...outcomes, ...(told.outcomes ?? [])],
      state: { ...told.state, ...state },
    }
    try {
      await this.safe.change(whole)
      return true
    } catch (error) {
      if (!page || !isFull(error)) throw error
      // The photos that the office has are let go with this: it is what makes room again.
      await this.safe.change(told)
      return false
    }
  }

  /** Compare the server's place in our log with our own. */
  private position(answer: SyncAnswer, { push }: SyncRequest): Partial<SyncState> {
    const { state, log } = this.safe
    const { last_seq: seq, chain } = answer
    const ours = seq === 0 ? CHAIN_START : (log.get(seq)?.chain ?? (seq === state.ackedSeq ? state.ackedChain : null))
    // The server knows a longer log or another one: this database is a copy, or was rolled back.
    if (seq > state.lastSeq || (ours !== null && ours !== chain)) return { halt: 'fork' }
    const next = log.get(seq + 1)
    // The server was restored to before our sent box begins: only a person can bridge that.
    if (seq < state.lastSeq && !next) return { halt: this.safe.isDamaged('log', seq + 1) ? 'damaged' : 'gap' }
    // Of what it took in before, and whose answer was lost, it tells only what is sent once more.
    const told = push?.mutations.at(-1)
    return told && told.seq < seq ? { ackedSeq: told.seq, ackedChain: told.chain } : { ackedSeq: seq, ackedChain: chain }
  }

  /** Check the receipt of an answer; one that does not hold leaves the last that did. */
  private async proof(answer: SyncAnswer, policy: Policy): Promise<Partial<Pick<SyncState, 'receipt' | 'doubt'>>> {
    const { receipt, epoch, last_seq, chain, blobs_missing } = answer
    if (!receipt) return {}
    const said = { replica: this.safe.replica, epoch, last_seq, chain, missing: blobs_missing.length }
    const why = await doubtAbout(receipt, policy.receipt_key ?? '', said)
    return why ? { doubt: { why, receipt } } : { receipt, doubt: null }
  }

  private outcomes(answer: SyncAnswer, receipt: StoredOutcome['receipt']): StoredOutcome[] {
    const at = Date.parse(answer.server_time)
    return answer.outcomes
      .filter((entry) => !(entry.outcome === 'duplicate' && !entry.was && this.safe.outcomes.has(entry.seq)))
      .map((entry) => ({ ...entry, at: this.safe.outcomes.get(entry.seq)?.at ?? at, ...(receipt && { receipt }) }))
  }

  /** What has been in the sent box for long enough, by the server's clock: this one may have been set since. */
  private prunable(ackedSeq: number, serverTime: string): number[] {
    const { log, outcomes, media } = this.safe
    const busy = new Set(Array.from(media.values()).filter((m) => m.state !== 'safe').map((m) => m.owner))
    const before = Date.parse(serverTime) - SENT_BOX_MS
    return Array.from(log.values())
      .filter((entry) => entry.seq < ackedSeq && (outcomes.get(entry.seq)?.at ?? Infinity) < before)
      .filter((entry) => !busy.has(ownerOf(entry)))
      .map(({ seq }) => seq)
  }

  private async refused(answer: Answer): Promise<Step> {
    const problem = answer.body as Problem
    switch (problemSlug(problem)) {
      case 'gap':
        return this.afterGap(problem)
      case 'fork':
        return this.halt('fork')
      case 'unknown-replica':
        return this.halt('unknown')
      case 'revoked':
        await this.safe.trust(problem.federation_key)
        return this.halt('revoked')
      case 'expired-token':
      case 'no-token':
        return this.halt('sign_in')
      default:
        return 'later'
    }
  }

  /** The server says where it stands; go on from there if our sent box reaches back so far. */
  private async afterGap(problem: Problem): Promise<Step> {
    const { last_seq: seq, chain } = problem
    const known = seq !== undefined && chain !== undefined && seq < this.safe.state.ackedSeq
    if (!known || !this.safe.log.has(seq + 1)) return this.halt('gap')
    await this.safe.change({ state: { ackedSeq: seq, ackedChain: chain } })
    return 'more'
  }

  private async halt(halt: NonNullable<SyncState['halt']>): Promise<Step> {
    await this.safe.change({ state: { halt } })
    return 'halted'
  }
}

/** The mutations that the server has not acknowledged, in order. */
export function outbox(log: ReadonlyMap<number, Mutation>, state: SyncState): Mutation[] {
  return Array.from(log.values())
    .filter(({ seq }) => seq > state.ackedSeq)
    .sort((a, b) => a.seq - b.seq)
}

/** Tell whether the server signs, and what it signed last does not prove all that it has. */
function lacksReceipt({ policy, receipt, doubt, ackedSeq }: SyncState): boolean {
  if (!policy.receipt_key || ackedSeq === 0) return false
  if (!receipt || doubt) return true
  const { last_seq, missing } = saysOf(receipt)
  return last_seq !== ackedSeq || missing > 0
}

/** A record of the outbox that does not open: those behind it cannot be told in order. */
function hasHole(waiting: Mutation[], state: SyncState): boolean {
  const expected = state.lastSeq - state.ackedSeq
  return waiting.length !== expected
}

function batch(waiting: Mutation[], state: SyncState, room: number): SyncRequest['push'] | null {
  const mutations: Mutation[] = []
  let bytes = 0
  for (const mutation of waiting) {
    bytes += utf8(JSON.stringify(mutation)).length
    if (mutations.length > 0 && (bytes > room || mutations.length >= PUSH_COUNT)) break
    mutations.push(mutation)
  }
  return mutations[0] ? { first: mutations[0].seq, prev_chain: state.ackedChain, mutations } : null
}

/** Certificates kept here that left the scope, were handed over, or of which there is another file now. */
function staleFiles(safe: Safe, { put, del }: AppliedPull, more: boolean): string[] {
  const gone = new Set(del)
  return Array.from(safe.files).filter((id) => {
    const key = `certificate/${id}`
    const before = safe.rows.get(key)?.d as CertificateRow | undefined
    const now = (put.get(key)?.d as unknown as CertificateRow | undefined) ?? (gone.has(key) ? undefined : before)
    if (!now) return gone.has(key) || !more
    return before !== undefined && (before.sha256 !== now.sha256 || before.handed_over !== now.handed_over)
  })
}

/** Photos whose evaluation is acknowledged and that the server no longer misses: verified there. */
function verified(safe: Safe, state: SyncState): Media[] {
  const missing = new Set(state.missing)
  const acknowledged = declaredUpTo(safe, state.ackedSeq)
  return Array.from(safe.media.values())
    // What a restored office had lost may be found there on another disk.
    .filter(({ state, lost }) => state === 'declared' || (state === 'rejected' && lost))
    .filter(({ sha256 }) => acknowledged.has(sha256) && !missing.has(sha256))
    .map((media) => ({ ...media, state: 'safe', uploadUrl: null, lost: false }))
}

/** A receipt taken back: the server was restored to before the photo. It never goes on reading "all safe". */
function missedAgain(safe: Safe, missing: string[]): Media[] {
  return missing
    .flatMap((sha256) => safe.media.get(sha256) ?? [])
    .filter(({ state }) => state === 'safe')
    .map((media) => ({ ...media, state: 'declared' }))
}

/** Decisions of the office whose rows leave before the records that they are about: those would wait anew. */
function decidedAndGone({ rows, outcomes, replica }: Safe, { del }: AppliedPull): StoredOutcome[] {
  return del
    .filter((key) => key.startsWith('dispute/'))
    .map((key) => rows.get(key)?.d as unknown as DisputeRow)
    .filter((row) => row?.decision && row.replica === replica)
    .flatMap(({ seq, decision, reason }) => {
      const stored = outcomes.get(seq)
      return stored ? [{ ...stored, decided: { decision, reason } }] : []
    })
}

/** Pictures that the office has and that no record here speaks of any more: when and where they were taken goes too. */
function forgotten({ media, log, drafts }: Safe, prune: number[]): string[] {
  const pruned = new Set(prune)
  const kept = Array.from(log.values()).filter(({ seq }) => !pruned.has(seq)).flatMap(mediaOf)
  const told = new Set(kept.map(({ sha256 }) => sha256))
  return Array.from(media.values())
    .filter(({ state, sha256, owner }) => state === 'safe' && !told.has(sha256) && !drafts.has(`evaluation/${owner}`))
    .map(({ sha256 }) => sha256)
}

function declaredUpTo(safe: Safe, seq: number): Set<string> {
  const declared = Array.from(safe.log.values())
    .filter((entry) => entry.seq <= seq)
    .flatMap(mediaOf)
  return new Set(declared.map(({ sha256 }) => sha256))
}

function badPageOnly(error: unknown): null {
  if (error instanceof BadPage) return null
  throw error
}
