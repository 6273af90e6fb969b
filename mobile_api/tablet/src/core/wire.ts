/** What goes over the line, in the words of the server. */
import type { Mutation } from './chain'
import type { Json } from './jcs'
import type { SignedReceipt } from './receipts'

export const CATEGORIES = ['vision', 'hearing', 'speech', 'physical', 'intellectual', 'mental'] as const
export type Category = (typeof CATEGORIES)[number]
export type Grade = 1 | 2 | 3 | 4
export type Role = 'liaison' | 'assessor' | 'administrator' | 'approver' | 'auditor'
export type Sex = 'male' | 'female'

export const PHOTO_KINDS = ['portrait', 'whole_body', 'affected_part', 'environment', 'document'] as const
export const SIGNATURE_KINDS = ['signature_resident', 'signature_assessor'] as const
export type EvidenceKind = (typeof PHOTO_KINDS)[number] | (typeof SIGNATURE_KINDS)[number]

/** What a guardian is to the person; lists of the office may have other words. */
export const RELATIONS = ['spouse', 'parent', 'child', 'sibling', 'grandparent', 'other'] as const

export const PAPERS = ['id_card', 'household_book', 'photos', 'guardian_proof'] as const
export type Paper = (typeof PAPERS)[number]

export const NOT_DONE = [
  'absent',
  'refused',
  'in_hospital',
  'road_cut',
  'wrong_specialty',
  'papers_missing',
  'guardian_absent',
  'died',
] as const
export type NotDoneReason = (typeof NOT_DONE)[number]
export const NEXT_STEPS = ['revisit', 'refer_hospital', 'close', 'wait'] as const
export type NextStep = (typeof NEXT_STEPS)[number]

export interface Place {
  lat: number
  lon: number
  accuracy_m: number
}

export interface Me {
  id: string
  full_name: string
  role: Role
  division: string
  categories: Category[]
}

export interface Colleague {
  full_name: string
  institution: string
  categories: Category[]
}

export interface Resident {
  name: string
  sex: Sex
  birth_on: string
  id_number: string
  telephone: string
  address: string
  ethnicity: string
  place: { lat: number; lon: number } | null
  bedridden: boolean
}

export interface PossibleTime {
  weekday: number
  from: string
  to: string
}

/** Why a case is in the fast lane, and until when its next step is due. */
export interface Urgent {
  why: 'terminal_illness' | 'subsidy_lapsing'
  reason: string
  due: string | null
}

export interface Guardian {
  name: string
  telephone: string
  relation: string
}

interface CaseCommon {
  categories: Category[]
  resident: Resident
  guardian: Guardian | null
  village: string
  township: string
  possible_times: PossibleTime[]
  papers_missing: string[]
  urgent?: Urgent
  /** who nominated may not rate */
  nominated_by?: string
}

export type VisitState = 'scheduled' | 'done' | 'not_done' | 'cancelled'

export interface VisitRow extends CaseCommon {
  application: string
  state: VisitState
  on: string
  start: string
  minutes: number
  order: number
  standard: string
  evidence: EvidenceKind[]
  assessors: string[]
  liaison: { name: string; telephone: string } | null
  evaluation: string | null
  media_state: 'awaiting_media' | 'complete' | null
  not_done: { reason: NotDoneReason; next_step: NextStep } | null
}

export interface CaseRow extends CaseCommon {
  state: string
}

export interface CertificateRow {
  application: string
  visit: string | null
  resident_name: string
  category: Category | 'multiple'
  grade: Grade
  issued_on: string
  valid_until: string
  sha256: string
  size: number
  handed_over: boolean
}

export interface CalendarRow {
  non_working: string[]
}

/** One township of one's area, with the villages in which one may nominate. */
export interface TownshipRow {
  name: string
  villages: { code: string; name: string }[]
}

export type Outcome = 'applied' | 'duplicate' | 'refused' | 'conflict' | 'parked'

export interface OutcomeEntry {
  seq: number
  outcome: Outcome
  was?: Outcome
  dispute?: string
  message?: string
}

export interface Put {
  k: string
  h: string
  d: Json
}

export interface PullAnswer {
  base: string | null
  view: string
  digest: string
  more: boolean
  remaining: number
  dels: string[]
  puts: Put[]
}

export interface Policy {
  min_app?: string
  lease_until?: string
  lock_after_s?: number
  /** a demo's clock is moved by hand; a real one is the time */
  clock?: 'real' | 'simulated'
  /** local rule: assessors who sign beside the rater */
  co_signers?: number
  federation_key?: string | null
  receipt_key?: string | null
}

export interface SyncRequest {
  replica: string
  schema: 1
  app: string
  rid: string
  clock: { wall: string; mono_ms: number }
  health: { persisted: boolean; free_mb: number | null; outbox: number; oldest_h: number }
  push?: { first: number; prev_chain: string; mutations: Mutation[] }
  pull?: { view: string | null; digest: string | null; max_bytes: number }
  /** asks for a receipt although nothing is pushed */
  receipt?: true
}

export interface SyncAnswer {
  rid: string
  server_time: string
  epoch: string
  last_seq: number
  chain: string
  outcomes: OutcomeEntry[]
  pull: PullAnswer | null
  policy?: Policy
  blobs_missing: string[]
  receipt?: SignedReceipt | null
}

export interface EnrolAnswer {
  device: string
  replica: string
  token: string
  epoch: string
  server_time: string
  user: Me
  federation_key?: string | null
  receipt_key?: string | null
}

export interface LeaseAnswer {
  share: string
  ask: string
  lease_until: string
}

export interface ShareAnswer {
  share: string
  lease_until: string
  server_time: string
}

/** RFC 9457. */
export interface Problem {
  type: string
  title?: string
  status?: number
  detail?: string
  wipe?: boolean
  federation_key?: string | null
  last_seq?: number
  chain?: string
}

export interface MediaDeclaration {
  sha256: string
  kind: EvidenceKind | 'paper'
  /** which paper, when it is one */
  paper?: Paper
  size: number
  type: 'image/jpeg' | 'image/png'
  taken_at: string
  place: Place | null
}

export type Findings = Record<string, Json>

export interface EvaluationPart {
  category: Category
  findings: Findings
  grade: Grade | null
  reason: string
}

/** What became of a disputed record, as the office decided. */
export interface DisputeRow {
  replica: string
  seq: number
  outcome: 'refused' | 'conflict' | 'parked'
  code: string
  decision: 'accepted' | 'set_aside' | null
  reason: string
}

/** A corrected copy of something that was not applied names the mutation that it corrects. */
export interface Correction {
  corrects?: string
}

export interface SubmitEvaluation extends Correction {
  evaluation: string
  visit: string
  application: string
  parts: EvaluationPart[]
  grade: Grade | null
  identity_checked: boolean
  guardian_present: boolean
  consent: { by: 'resident' | 'guardian'; name: string }
  co_signers: string[]
  arrived_at: string
  evaluated_at: string
  place: Place | null
  remark: string
  media: MediaDeclaration[]
}

export interface Nominate extends Correction {
  application: string
  resident: {
    name: string
    id_number: string
    telephone: string
    address: string
    ethnicity: string
    bedridden: boolean
    poor_household: boolean
    severity_expected: Grade | null
  }
  village: string
  categories: Category[]
  guardian: Guardian | null
  consent: { by: 'resident' | 'guardian'; name: string } | null
  media: MediaDeclaration[]
}

/** How a family is reached; an empty text where nothing is known. */
export interface Contact {
  telephone: string
  address: string
}

/** What a tablet can say, and with which arguments. */
export interface MutationArgs {
  schedule_visit: Correction & { visit: string; application: string; on: string; start: string; minutes: number }
  move_visit: Correction & {
    visit: string
    application: string
    on: string
    start: string
    minutes: number
    seen: { on: string; start: string }
    reason: string
  }
  cancel_visit: Correction & { visit: string; application: string; reason: string; seen: { on: string; start: string } }
  record_not_done: Correction & {
    visit: string
    application: string
    /** The appointment at which it was: another one, that the office made meanwhile, is kept beside it. */
    seen: { on: string; start: string }
    reason: NotDoneReason
    next_step: NextStep
    note: string
    recorded_at: string
    place: Place | null
  }
  submit_evaluation: SubmitEvaluation
  nominate: Nominate
  correct_contact: Correction & { application: string; to: Contact; seen: Contact }
  hand_over_certificate: { certificate: string; to: 'resident' | 'guardian'; handed_over_at: string }
}
export type MutationName = keyof MutationArgs

/** The version in which each is said now. */
export const VERSIONS: Record<MutationName, number> = {
  schedule_visit: 1,
  move_visit: 2,
  cancel_visit: 2,
  record_not_done: 2,
  submit_evaluation: 2,
  nominate: 3,
  correct_contact: 1,
  hand_over_certificate: 1,
}
