import type { Statement } from '../core/chain'
import { CHAIN_START } from '../core/chain'
import type { Json } from '../core/jcs'
import type { Doubt, SignedReceipt } from '../core/receipts'
import type {
  DisputeRow,
  MediaDeclaration,
  Me,
  MutationArgs,
  MutationName,
  Outcome,
  OutcomeEntry,
  Policy,
} from '../core/wire'

/** Why the line is shut until a person acts. Reading and writing on the tablet go on. */
export type Halt = 'fork' | 'gap' | 'damaged' | 'unknown' | 'revoked' | 'sign_in'

/** Where this replica stands with the server. */
export interface SyncState {
  lastSeq: number
  chain: string
  ackedSeq: number
  ackedChain: string
  /** up to here the pulled rows already show what was pushed */
  settledSeq: number
  view: string | null
  digest: string | null
  epoch: string | null
  /** server time minus this device's clock, in milliseconds */
  offsetMs: number
  syncedAt: number | null
  complete: boolean
  /** the rows that came since everything is asked for anew; those before stay until all have come */
  anew: string[] | null
  /** counts the changes of the rows */
  rowsRev: number
  policy: Policy
  missing: string[]
  /** the newest receipt that held: it proves every record up to its own */
  receipt: SignedReceipt | null
  /** a receipt that did not hold, until one does; nothing is freed meanwhile */
  doubt: { why: Doubt; receipt: SignedReceipt } | null
  halt: Halt | null
}

export const FRESH: SyncState = {
  lastSeq: 0,
  chain: CHAIN_START,
  ackedSeq: 0,
  ackedChain: CHAIN_START,
  settledSeq: 0,
  view: null,
  digest: null,
  epoch: null,
  offsetMs: 0,
  syncedAt: null,
  complete: false,
  anew: null,
  rowsRev: 0,
  policy: {},
  missing: [],
  receipt: null,
  doubt: null,
  halt: null,
}

/** Who this tablet speaks for. */
export interface Session {
  device: string
  token: string
  user: Me
  label: string
}

/** One entry of the ordered log: outbox until acknowledged, sent box afterwards. */
export interface LogEntry extends Statement {
  chain: string
  sig: string
}

export type Said<N extends MutationName> = Omit<LogEntry, 'name' | 'args'> & { name: N; args: MutationArgs[N] }

/** Narrow a log entry to the mutation of one name. */
export function said<N extends MutationName>(entry: LogEntry, name: N): Said<N> | null {
  return entry.name === name ? (entry as unknown as Said<N>) : null
}

/** The pictures that an entry declares. */
export const mediaOf = (entry: LogEntry): MediaDeclaration[] => (entry.args as { media?: MediaDeclaration[] }).media ?? []

/** The visit or nomination to which the pictures of an entry belong. */
export function ownerOf(entry: LogEntry): string {
  const { visit, application } = entry.args as { visit?: string; application?: string }
  return visit ?? application ?? ''
}

export interface StoredOutcome extends OutcomeEntry {
  /** when it was first told, by the server's clock */
  at: number
  /** the server's signature under this very outcome */
  receipt?: SignedReceipt
  /** what the office decided about it, once its row has left the tablet */
  decided?: Pick<DisputeRow, 'decision' | 'reason'>
}

/** What finally became of a mutation; a duplicate is what it was the first time. */
export function finalOutcome(entry: OutcomeEntry): Exclude<Outcome, 'duplicate'> {
  const outcome = entry.outcome === 'duplicate' ? (entry.was ?? 'applied') : entry.outcome
  return outcome === 'duplicate' ? 'applied' : outcome
}

export interface PulledRow {
  h: string
  d: Json
}

/** A picture on this tablet. `owner` is the visit or nomination it belongs to. */
export interface Media extends MediaDeclaration {
  owner: string
  /** whose signature it is, when it is one: an assessor's id, or who consents, `resident` or `guardian` */
  signer: string | null
  /** the result that was read out before it was signed; earlier versions did not note it */
  said?: string
  /** under which name the resident or guardian signed; earlier versions did not note it */
  name?: string
  state: 'draft' | 'declared' | 'safe' | 'rejected'
  uploadUrl: string | null
  /** a first request with part of it was cut: the server may hold a beginning that nobody named yet */
  begun?: true
  /** the office itself said that it is no picture; earlier versions took that from whatever answered */
  told?: true
  /** the office had it, and was restored to before that */
  lost?: boolean
  /** the person here has told the office that it is missing */
  noted?: true
}
