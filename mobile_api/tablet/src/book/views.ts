/** What the screens show: the pulled rows with what this tablet said since laid over them. Pure. */
import type {
  CaseRow,
  CertificateRow,
  Colleague,
  MutationArgs,
  Me,
  NextStep,
  Nominate,
  NotDoneReason,
  TownshipRow,
  VisitRow,
} from '../core/wire'
import { saysOf } from '../core/receipts'
import { correctionOf, decisionOn, rejectedIn, waitsForOffice } from './disputes'
import {
  finalOutcome,
  mediaOf,
  said,
  type LogEntry,
  type Media,
  type PulledRow,
  type StoredOutcome,
  type SyncState,
} from '../store/records'

/** Where a finished piece of work stands, each word from a receipt of the server. */
export type Receipt = 'only_here' | 'text_safe' | 'all_safe' | 'disputed' | 'parked' | 'set_aside'

export interface VisitView extends VisitRow {
  id: string
  receipt: Receipt | null
  /** changed on this tablet, and the office does not know yet */
  pending: boolean
}

export interface CaseView extends CaseRow {
  id: string
}

export interface CertificateView extends CertificateRow {
  id: string
}

export interface TownshipView extends TownshipRow {
  code: string
}

export interface NominationView {
  id: string
  at: string
  args: Nominate
  receipt: Receipt
}

/** Everything a screen may need to know, as read-only maps. */
export interface Source {
  replica: string
  state: SyncState
  rows: ReadonlyMap<string, PulledRow>
  log: ReadonlyMap<number, LogEntry>
  outcomes: ReadonlyMap<number, StoredOutcome>
  media: ReadonlyMap<string, Media>
}

export function visits(source: Source): VisitView[] {
  const found = new Map<string, VisitView>()
  for (const [id, row] of rowsOf<VisitRow>(source, 'visit/')) {
    found.set(id, { ...row, id, receipt: rowReceipt(row), pending: false })
  }
  for (const entry of standing(source)) overlay(found, entry, source)
  for (const entry of source.log.values()) {
    const visit = found.get(visitOf(entry))
    if (visit && isReport(entry)) visit.receipt = receiptOf(source, entry)
  }
  return [...found.values()]
    .filter((visit) => visit.state !== 'cancelled')
    .sort((a, b) => compareText(a.on, b.on) || compareText(a.start, b.start) || a.order - b.order)
}

/** Visits begun here whose case has left since: the work goes on with what was seen, and the office decides. */
export function left(drafts: ReadonlyMap<string, unknown>, listed: readonly VisitView[]): VisitView[] {
  const here = new Set(listed.map(({ id }) => id))
  const begun = Array.from(drafts)
    .filter(([key]) => /^(evaluation|not-done|contact)\//.test(key))
    .flatMap(([, draft]) => (draft as { of?: VisitView }).of ?? (draft as { seen?: VisitView }).seen ?? [])
    // What the drafts of a telephone have seen is no visit.
    .filter(({ id }) => id && !here.has(id))
  return [...new Map(begun.map((visit) => [visit.id, visit])).values()]
}

/** Whether a visit is listed for a day: one of an earlier day while it is not done, or something is begun here. */
export const isListed = ({ on, state }: VisitView, today: string, begun: boolean): boolean =>
  on >= today || state === 'scheduled' || begun

/** Why somebody may not rate this visit; what was begun here is never shut in. */
export function mayNotRate(visit: VisitView, me: Pick<Me, 'id' | 'role'> | null, begun: boolean): 'role' | 'nominator' | 'over' | null {
  if (me?.role !== 'assessor') return 'role'
  if (begun) return null
  if (visit.nominated_by === me.id) return 'nominator'
  return visit.state === 'scheduled' ? null : 'over'
}

/** Cases without an open visit; those scheduled here since are not offered twice. */
export function cases(source: Source): CaseView[] {
  const taken = new Set<string>()
  const freed = new Map<string, CaseView>()
  for (const entry of standing(source)) {
    const made = said(entry, 'schedule_visit')
    if (made) taken.add(made.args.application)
    const cancelled = said(entry, 'cancel_visit')?.args
    const row = cancelled && rowAt<VisitRow>(source, `visit/${cancelled.visit}`)
    // A visit that was scheduled here has no row yet; versions before named no case.
    taken.delete(cancelled?.application ?? row?.application ?? '')
    if (row) freed.set(row.application, { ...row, id: row.application, state: 'accepted' })
  }
  for (const [id, row] of rowsOf<CaseRow>(source, 'case/')) freed.set(id, { ...row, id })
  return [...freed.values()].filter(({ id }) => !taken.has(id)).sort(hurriedFirst)
}

export function certificates(source: Source): CertificateView[] {
  const handed = new Set(
    standing(source).flatMap((entry) => said(entry, 'hand_over_certificate')?.args.certificate ?? []),
  )
  return rowsOf<CertificateRow>(source, 'certificate/')
    .map(([id, row]) => ({ ...row, id, handed_over: row.handed_over || handed.has(id) }))
    .sort((a, b) => Number(a.handed_over) - Number(b.handed_over) || compareText(b.issued_on, a.issued_on))
}

export function colleagues(source: Source): (Colleague & { id: string })[] {
  return rowsOf<Colleague>(source, 'colleague/').map(([id, row]) => ({ ...row, id }))
}

/** The villages in which this user may nominate, by township, both in the order of their codes. */
export function townships(source: Pick<Source, 'rows'>): TownshipView[] {
  return rowsOf<TownshipRow>(source, 'township/')
    .map(([code, { name, villages }]) => ({
      code,
      name,
      villages: [...villages].sort((a, b) => compareText(a.code, b.code)),
    }))
    .sort((a, b) => compareText(a.code, b.code))
}

export const knowsVillage = (found: TownshipView[], code: string): boolean =>
  found.some(({ villages }) => villages.some((village) => village.code === code))

export function nominations(source: Source): NominationView[] {
  return Array.from(source.log.values())
    .flatMap((entry) => {
      const args = said(entry, 'nominate')?.args
      return args ? [{ id: args.application, at: entry.at, args, receipt: receiptOf(source, entry) }] : []
    })
    .reverse()
}

/** The reports of this tablet, newest first, with the place each has reached. */
export function reports(source: Source): { entry: LogEntry; receipt: Receipt }[] {
  return Array.from(source.log.values())
    .map((entry) => ({ entry, receipt: receiptOf(source, entry) }))
    .sort((a, b) => b.entry.seq - a.entry.seq)
}

export function rowAt<T>(source: Pick<Source, 'rows'>, key: string): T | null {
  return (source.rows.get(key)?.d as T | undefined) ?? null
}

export function receiptOf(source: Source, entry: LogEntry): Receipt {
  if (entry.seq > source.state.ackedSeq || !proven(source.state, entry.seq)) return 'only_here'
  const outcome = source.outcomes.get(entry.seq)
  if (!outcome) return 'text_safe' // it is there, but what became of it is not known here
  const came = finalOutcome(outcome)
  if (came !== 'applied') {
    const decision = decisionOn(source, entry.seq)
    if (decision === 'set_aside') return 'set_aside'
    if (decision !== 'accepted') return waitsForOffice(came, entry) ? 'parked' : 'disputed'
  }
  // A picture whose record does not open here is where the office says it is.
  const safe = ({ sha256 }: { sha256: string }) =>
    source.media.has(sha256) ? source.media.get(sha256)?.state === 'safe' : !source.state.missing.includes(sha256)
  if (mediaOf(entry).every(safe)) return 'all_safe'
  if (rejectedIn(source, entry).length === 0) return 'text_safe'
  // A corrected copy brings the picture that was taken anew: what becomes of that one counts.
  const copy = correctionOf(source, entry)
  return copy ? receiptOf(source, copy) : 'disputed'
}

/** While a receipt does not hold, only what an earlier one signed counts as delivered. */
function proven({ doubt, receipt }: SyncState, seq: number): boolean {
  return !doubt || (receipt !== null && saysOf(receipt).last_seq >= seq)
}

function rowReceipt(row: VisitRow): Receipt | null {
  if (row.media_state === 'awaiting_media') return 'text_safe'
  return row.state === 'done' || row.state === 'not_done' ? 'all_safe' : null
}

/** The fast lane first, then village by village. */
const hurriedFirst = (a: CaseView, b: CaseView) =>
  Number(!a.urgent) - Number(!b.urgent) || compareText(a.urgent?.due ?? '', b.urgent?.due ?? '') || compareText(a.village, b.village)
const isReport = (entry: LogEntry) => entry.name === 'submit_evaluation' || entry.name === 'record_not_done'
const visitOf = (entry: LogEntry) => (entry.args as { visit?: string }).visit ?? ''
const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** What was said and is not yet in the rows, and was not turned down. */
function standing({ log, outcomes, state }: Source): LogEntry[] {
  return Array.from(log.values())
    .filter(({ seq }) => seq > state.settledSeq)
    .filter(({ seq }) => {
      const outcome = outcomes.get(seq)
      return !outcome || finalOutcome(outcome) === 'applied'
    })
    .sort((a, b) => a.seq - b.seq)
}

function rowsOf<T>(source: Pick<Source, 'rows'>, prefix: string): [string, T][] {
  return Array.from(source.rows)
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, row]) => [key.slice(prefix.length), row.d as T])
}

function overlay(found: Map<string, VisitView>, entry: LogEntry, source: Source): void {
  const made = said(entry, 'schedule_visit')
  const pending = receiptOf(source, entry) === 'only_here'
  if (made) {
    const visit = scheduled(made.args, source)
    if (visit) found.set(visit.id, { ...visit, pending })
    return
  }
  const contact = said(entry, 'correct_contact')
  if (contact) return correctContact(found, contact.args, pending)
  const visit = found.get(visitOf(entry))
  if (!visit) return
  visit.pending ||= pending
  const moved = said(entry, 'move_visit')
  if (moved) Object.assign(visit, { on: moved.args.on, start: moved.args.start, minutes: moved.args.minutes })
  if (entry.name === 'cancel_visit') visit.state = 'cancelled'
  const notDone = said(entry, 'record_not_done')
  if (notDone) reportNotDone(visit, notDone.args.reason, notDone.args.next_step)
  const evaluation = said(entry, 'submit_evaluation')
  if (evaluation) Object.assign(visit, { state: 'done', evaluation: evaluation.args.evaluation })
}

function correctContact(found: Map<string, VisitView>, { application, to }: MutationArgs['correct_contact'], pending: boolean): void {
  for (const visit of found.values()) {
    if (visit.application !== application) continue
    visit.pending ||= pending
    visit.resident = { ...visit.resident, ...to }
  }
}

function reportNotDone(visit: VisitView, reason: NotDoneReason, next_step: NextStep): void {
  visit.state = 'not_done'
  visit.not_done = { reason, next_step }
}

function scheduled(args: MutationArgs['schedule_visit'], source: Source): Omit<VisitView, 'pending'> | null {
  const row =
    rowAt<CaseRow & Partial<VisitRow>>(source, `case/${args.application}`) ??
    rowsOf<VisitRow>(source, 'visit/').find(([, visit]) => visit.application === args.application)?.[1]
  if (!row) return null
  const { on, start, minutes, application } = args
  return {
    ...row,
    id: args.visit,
    application,
    on,
    start,
    minutes,
    order: 99,
    state: 'scheduled',
    standard: row.standard ?? '',
    evidence: row.evidence ?? ['portrait', 'whole_body', 'environment'],
    assessors: row.assessors ?? [],
    liaison: row.liaison ?? null,
    evaluation: null,
    media_state: null,
    not_done: null,
    receipt: null,
  }
}
