/** The form in which a record that was not applied is corrected: what it said, to be changed and sent anew. Pure. */
import type { MutationArgs, MutationName } from '../core/wire'
import { said, type LogEntry } from '../store/records'
import { NULL_CHOICE, newDraft, type Answer, type EvaluationDraft } from './evaluation'
import { NOMINATION, nominationOf } from './nomination'
import type { VisitView } from './views'

/** Where the corrected copy is written, and the draft that waits there. */
export interface Correcting {
  screen: 'evaluate' | 'not-done' | 'nominate' | 'schedule' | 'move'
  id: string
  draft: { key: string; value: unknown }
}

/** What to open for it; null where nothing can be corrected here: the case has left, or it is no such record. */
export function correcting(
  entry: LogEntry,
  visitOf: (id: string) => VisitView | null,
  hasCase: (id: string) => boolean,
  newId: () => string,
): Correcting | null {
  const evaluation = said(entry, 'submit_evaluation')
  if (evaluation) {
    const visit = visitOf(evaluation.args.visit)
    return visit && { screen: 'evaluate', id: visit.id, draft: evaluationDraft(evaluation.args, entry.id, visit, newId()) }
  }
  const nomination = said(entry, 'nominate')
  if (nomination) {
    // Under the same number: only one of the two can ever be taken in, and the photos stay with it.
    const value = { ...nominationOf(nomination.args), corrects: entry.id }
    return { screen: 'nominate', id: '', draft: { key: NOMINATION, value } }
  }
  const notDone = said(entry, 'record_not_done')
  if (notDone) {
    const { visit, reason, next_step, note, seen } = notDone.args
    const stands = visitOf(visit)
    // Of the appointment that was kept: the one that the office has made since is not the one that came to nothing.
    const value = { reason, next: next_step, note, corrects: entry.id, seen: { ...stands, ...seen } }
    return stands && { screen: 'not-done', id: visit, draft: { key: `not-done/${visit}`, value } }
  }
  const made = said(entry, 'schedule_visit')
  if (made && hasCase(made.args.application)) return appointment('schedule', made.args.application, entry)
  const { visit } = entry.args as Partial<MutationArgs['move_visit']>
  const moves: MutationName[] = ['move_visit', 'cancel_visit']
  return visit && moves.includes(entry.name as MutationName) && visitOf(visit) ? appointment('move', visit, entry) : null
}

/** What to write on: what was begun since is never overwritten. Null where somebody else's form is unfinished. */
export function beginning(
  { screen, draft: { value } }: Correcting,
  held: unknown,
  isNominating: boolean,
): unknown {
  const copy = value as { corrects: string }
  const begun = held as { corrects?: string } | undefined
  if (!begun) return copy
  if (begun.corrects === copy.corrects) return begun
  if (screen === 'nominate') return isNominating ? null : copy
  return screen === 'schedule' || screen === 'move' ? copy : { ...begun, corrects: copy.corrects }
}

function appointment(screen: 'schedule' | 'move', id: string, entry: LogEntry): Correcting {
  const { on, start, minutes, reason } = entry.args as Partial<MutationArgs['move_visit']>
  return { screen, id, draft: { key: `${screen}/${id}`, value: { corrects: entry.id, on, start, minutes, reason } } }
}

function evaluationDraft(
  args: MutationArgs['submit_evaluation'],
  corrects: string,
  visit: VisitView,
  id: string,
): Correcting['draft'] {
  const value: EvaluationDraft & { seen: VisitView } = {
    ...newDraft(visit, id),
    corrects,
    arrivedAt: args.arrived_at,
    place: args.place,
    identityChecked: args.identity_checked,
    guardianPresent: args.guardian_present,
    consentBy: args.consent.by,
    consentName: args.consent.name,
    consentGiven: true,
    coSigners: args.co_signers,
    remark: args.remark,
    parts: args.parts.map(({ category, findings, grade, reason }) => ({
      category,
      answers: Object.fromEntries(Object.entries(findings).map(([name, value]) => [name, answerOf(value)])),
      // A written reason stands beside a grade of the doctor's own.
      own: reason ? (grade ?? 0) : null,
      reason,
    })),
    seen: visit,
  }
  return { key: `evaluation/${visit.id}`, value }
}

/** What one would have typed for it. */
function answerOf(value: unknown): Answer {
  if (Array.isArray(value)) return value.map(String)
  return value === null ? NULL_CHOICE : String(value)
}
