import { base64, sha256Hex, utf8 } from '@/core/bytes'
import { CHAIN_START, canonicalBytes, chainAfter, type Mutation } from '@/core/chain'
import { canonical, type Json } from '@/core/jcs'
import { manifestDigest } from '@/core/manifest'
import type { SignedReceipt } from '@/core/receipts'
import type { Outcome, OutcomeEntry, Policy, SyncAnswer, SyncRequest } from '@/core/wire'
import { LineDown, type Answer, type Send } from '@/sync/transport'

const problem = (status: number, slug: string, extra: object = {}): Answer => ({
  status,
  body: { type: `/problems/${slug}`, status, ...extra },
})

/** The first 16 hexadecimal digits of the hash of a row, which the office works out and a tablet believes. */
const rowHash = async (data: Json): Promise<string> => (await sha256Hex(canonical(data))).slice(0, 16)

/** A server in memory that keeps the promises of the protocol, and can be told to break the line. */
export class FakeServer {
  ledger: { mutation: Mutation; outcome: Outcome; message?: string }[] = []
  rows = new Map<string, Json>()
  views = new Map<string, Map<string, string>>()
  verified = new Set<string>()
  pageRows = 100
  epoch = 'e1'
  policy: Policy = {}
  now = Date.parse('2018-06-04T01:00:00Z')
  /** faults for the coming requests, in order */
  script: ('lost request' | 'lost answer' | 'late' | Answer)[] = []
  requests: SyncRequest[] = []
  decide: (mutation: Mutation) => { outcome: Outcome; message?: string } = () => ({ outcome: 'applied' })
  /** what becomes of a receipt on its way */
  tamper: (receipt: SignedReceipt) => SignedReceipt = (receipt) => receipt
  private receiptKey: CryptoKey | null = null
  private serial = 0

  readonly send: Send = async (_path, body) => {
    const fault = this.script.shift()
    if (fault === 'lost request') throw new LineDown()
    if (fault && typeof fault === 'object') return fault
    const request = JSON.parse(JSON.stringify(body)) as SyncRequest
    this.requests.push(request)
    const answer = await this.answer(request)
    if (fault === 'lost answer') throw new LineDown()
    if (fault === 'late' && answer.status === 200) (answer.body as SyncAnswer).rid = 'another'
    return answer
  }

  /** From now on it signs what it acknowledges. */
  async signs(): Promise<void> {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
    this.receiptKey = pair.privateKey
    this.policy.receipt_key = base64(new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey)))
  }

  get chain(): string {
    return this.ledger.at(-1)?.mutation.chain ?? CHAIN_START
  }

  private async answer(request: SyncRequest): Promise<Answer> {
    const outcomes: OutcomeEntry[] = []
    const push = request.push
    const place = { last_seq: this.ledger.length, chain: this.chain }
    if (push) {
      if (push.first > this.ledger.length + 1) return problem(409, 'gap', place)
      let chain = push.prev_chain
      const before = push.first === 1 ? CHAIN_START : this.ledger[push.first - 2]?.mutation.chain
      if (chain !== before) return problem(409, 'fork', place)
      for (const mutation of push.mutations) {
        chain = await chainAfter(chain, canonicalBytes(mutation))
        const known = this.ledger[mutation.seq - 1]
        if (chain !== mutation.chain || (known && known.mutation.chain !== chain)) return problem(409, 'fork', place)
      }
      for (const mutation of push.mutations) {
        const known = this.ledger[mutation.seq - 1]
        if (known) outcomes.push({ seq: mutation.seq, outcome: 'duplicate', was: known.outcome })
        else {
          const decided = this.decide(mutation)
          this.ledger.push({ mutation, ...decided })
          outcomes.push({ seq: mutation.seq, ...decided })
        }
      }
    }
    return { status: 200, body: await this.success(request, outcomes) }
  }

  private async success(request: SyncRequest, outcomes: OutcomeEntry[]): Promise<SyncAnswer> {
    return {
      rid: request.rid,
      server_time: new Date(this.now).toISOString(),
      epoch: this.epoch,
      last_seq: this.ledger.length,
      chain: this.chain,
      outcomes,
      pull: await this.pull(request),
      policy: { min_app: '0.1.0', lock_after_s: 300, ...this.policy },
      blobs_missing: this.missing(),
      receipt: request.push || request.receipt ? await this.receipt(request, outcomes) : null,
    }
  }

  private async receipt(request: SyncRequest, outcomes: OutcomeEntry[]): Promise<SignedReceipt | null> {
    if (!this.receiptKey) return null
    const said = JSON.stringify({
      v: 1,
      replica: request.replica,
      epoch: this.epoch,
      at: new Date(this.now).toISOString(),
      last_seq: this.ledger.length,
      chain: this.chain,
      outcomes: outcomes.map(({ seq, outcome, was }) => [seq, was ?? outcome]),
      missing: this.missing().length,
    })
    const how = { name: 'ECDSA', hash: 'SHA-256' }
    const sig = base64(new Uint8Array(await crypto.subtle.sign(how, this.receiptKey, utf8(said))))
    return this.tamper({ said, sig, key: 'the key' })
  }

  private missing(): string[] {
    const declared = this.ledger.flatMap(
      ({ mutation }) => (mutation.args as { media?: { sha256: string }[] }).media ?? [],
    )
    return declared.map(({ sha256 }) => sha256).filter((sha256) => !this.verified.has(sha256))
  }

  private async pull(request: SyncRequest): Promise<SyncAnswer['pull']> {
    const asked = request.pull
    if (!asked) return null
    const known = asked.view === null ? undefined : this.views.get(asked.view)
    const proven = known && (await manifestDigest(known)) === asked.digest ? known : undefined
    const held = new Map(proven ?? [])
    const wanted = new Map<string, string>()
    for (const [k, d] of this.rows) wanted.set(k, await rowHash(d))
    const dels = [...held.keys()].filter((k) => !wanted.has(k))
    const changed = [...wanted].filter(([k, h]) => held.get(k) !== h)
    const page = changed.slice(0, this.pageRows)
    for (const k of dels) held.delete(k)
    for (const [k, h] of page) held.set(k, h)
    const view = `v${++this.serial}`
    this.views = new Map([...(asked.view && proven ? [[asked.view, proven] as const] : []), [view, held]])
    return {
      base: proven ? asked.view : null,
      view,
      digest: await manifestDigest(held),
      more: page.length < changed.length,
      remaining: changed.length - page.length,
      dels,
      puts: page.map(([k, h]) => ({ k, h, d: this.rows.get(k) ?? null })),
    }
  }
}
