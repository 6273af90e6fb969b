/** A draft of an evaluation, and what still stands between it and being sent. Pure. */
import { grade as gradeCase, isUndecided, type Grading } from '../core/grading/grade'
import { BadFinding, isNeeded, valueOf, type Checked } from '../core/grading/input'
import {
  categoryRule,
  parameter,
  type CategoryRule,
  type FindingRule,
  type Standard,
} from '../core/grading/standard'
import type {
  Category,
  EvaluationPart,
  EvidenceKind,
  Findings,
  Grade,
  MediaDeclaration,
  Place,
  Policy,
  SubmitEvaluation,
} from '../core/wire'
import type { Media } from '../store/records'
import { standsIn, type LeavesOut } from './pictures'
import type { VisitView } from './views'

/** An answer as it stands in the form: what was typed, not yet what it means. */
export type Answer = string | string[]

export interface PartDraft {
  category: Category
  answers: Record<string, Answer>
  /** the doctor's own grade where it is not the computed one; 0 is "not met" */
  own: Grade | 0 | null
  reason: string
}

export interface EvaluationDraft extends LeavesOut {
  kind: 'evaluation'
  visit: string
  evaluation: string
  /** the mutation that this is a corrected copy of */
  corrects?: string
  step: number
  arrivedAt: string | null
  place: Place | null
  identityChecked: boolean
  guardianPresent: boolean
  consentBy: 'resident' | 'guardian'
  consentName: string
  /** what was typed for the one of the two who is not asked now */
  otherName?: string
  consentGiven: boolean
  parts: PartDraft[]
  /** categories that were removed, as they were filled in */
  dropped?: PartDraft[]
  coSigners: string[]
  remark: string
}

export function newDraft(visit: VisitView, evaluation: string, age = 18): EvaluationDraft {
  const parts: PartDraft[] = visit.categories.map((category) => ({ category, answers: {}, own: null, reason: '' }))
  const asksGuardian = visit.guardian !== null || needsGuardian(parts, age)
  return {
    kind: 'evaluation',
    visit: visit.id,
    evaluation,
    step: 0,
    arrivedAt: null,
    place: null,
    identityChecked: false,
    guardianPresent: false,
    consentBy: asksGuardian ? 'guardian' : 'resident',
    consentName: asksGuardian ? (visit.guardian?.name ?? '') : visit.resident.name,
    consentGiven: false,
    parts,
    coSigners: [],
    remark: '',
  }
}

/** Take a category out of the form; what was entered for it waits there, should it come back. */
export function dropPart(draft: EvaluationDraft, index: number): void {
  draft.dropped = [...(draft.dropped ?? []), ...draft.parts.splice(index, 1)]
}

export function addPart(draft: EvaluationDraft, category: Category): void {
  const isIt = (part: PartDraft) => part.category === category
  draft.parts.push(draft.dropped?.find(isIt) ?? { category, answers: {}, own: null, reason: '' })
  draft.dropped = (draft.dropped ?? []).filter((part) => !isIt(part))
}

/** Words the standard uses for "the answer is null" in a select. */
export const NULL_CHOICE = 'null'

/** What a typed answer means; undefined when nothing was given. A malformed number stays a text. */
export function meaning(rule: FindingRule, answer: Answer | undefined, standard: Standard): unknown {
  if (answer === undefined || answer.length === 0) return undefined
  if (Array.isArray(answer)) return answer.every((item) => item === '') ? undefined : answer.map(numberIn)
  if (rule.kind === 'choice_or_null' && answer === NULL_CHOICE) return null
  const choice = rule.choices && standard.choices[rule.choices]?.find(({ code }) => String(code) === answer)
  return choice ? choice.code : numberIn(answer)
}

/** A row of numbers with one of them as it was typed. */
export function answerAt(rule: FindingRule, answer: Answer | undefined, index: number, value: string): string[] {
  const row = Array.isArray(answer) ? [...answer] : (rule.labels ?? []).map(() => '')
  row[index] = value
  return row
}

/** "0.05", "０．０５" and " 12 " are numbers; anything else stays as typed and is refused later. */
function numberIn(typed: string): number | string {
  const plain = typed.normalize('NFKC').trim()
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : typed
}

export function findingsOf(part: PartDraft, standard: Standard, age: number): Findings {
  const category = categoryRule(standard, part.category)
  const shown = new Set(visibleRules(part, standard, age).map((rule) => rule.name))
  const found: [string, unknown][] = category.findings
    .filter((rule) => shown.has(rule.name))
    .map((rule) => [rule.name, meaning(rule, part.answers[rule.name], standard)])
  return Object.fromEntries(found.filter(([, value]) => value !== undefined)) as Findings
}

/** The findings to ask for: those needed or optional, going by the answers so far. */
export function visibleRules(part: PartDraft, standard: Standard, age: number): FindingRule[] {
  const category = categoryRule(standard, part.category)
  const checked = understood(part, category, standard)
  return category.findings.filter((rule) => isVisible(rule, category, checked, age, standard))
}

function isVisible(rule: FindingRule, category: CategoryRule, checked: Checked, age: number, standard: Standard) {
  if (rule.needed_when?.length === 0) return true
  // "Either of two measures": the second must not vanish while the first is being typed.
  const lasting = rule.needed_when?.map((group) => group.filter((test) => test.given === undefined))
  return isNeeded({ ...rule, ...(lasting && { needed_when: lasting }) }, category.findings, checked, age, standard)
}

function understood(part: PartDraft, category: CategoryRule, standard: Standard): Checked {
  const checked: Checked = new Map()
  for (const rule of category.findings) {
    const value = meaning(rule, part.answers[rule.name], standard)
    try {
      if (value !== undefined) checked.set(rule.name, valueOf(value, rule.name, rule, standard))
    } catch (error) {
      if (!(error instanceof BadFinding)) throw error
    }
  }
  return checked
}

export interface PartResult {
  part: PartDraft
  grading: Grading | null
  /** the first field that keeps it from being graded */
  problem: BadFinding | null
  /** what goes into the record: the doctor's grade, or the computed one */
  grade: Grade | null
  needsDecision: boolean
  needsReason: boolean
}

export function partResult(part: PartDraft, standard: Standard, age: number): PartResult {
  const findings = findingsOf(part, standard, age)
  let grading: Grading | null = null
  let problem: BadFinding | null = null
  try {
    grading = gradeCase({ category: part.category, age, findings, parts: [] }, standard)
  } catch (error) {
    if (!(error instanceof BadFinding)) throw error
    problem = error
  }
  const undecided = grading !== null && isUndecided(grading)
  const grade = part.own === null ? (grading?.grade ?? null) : part.own === 0 ? null : part.own
  const differs = part.own !== null && grade !== (grading?.grade ?? null)
  return {
    part,
    grading,
    problem,
    grade,
    needsDecision: undecided && part.own === null,
    needsReason: (differs || (undecided && part.own !== null)) && part.reason.trim() === '',
  }
}

/** The reason for a grade of the doctor's own; who went back to the computed one needs none. */
export const reasonOf = ({ own, reason }: PartDraft): string => (own === null ? '' : reason.trim())

/** The grade of the whole: of one category its own; of several the most severe, if two are met. */
export function overallGrade(results: PartResult[], standard: Standard): Grade | null {
  const met = results.flatMap(({ grade }) => grade ?? [])
  const least = results.length > 1 ? parameter(standard, 'multiple_categories_at_least') : 1
  return met.length >= least ? (Math.min(...met) as Grade) : null
}

/** What is read out before anybody signs: a signature stands for this and no other result. */
export const readOut = (results: PartResult[]): string =>
  results.map(({ part, grade }) => `${part.category} ${grade ?? 0}`).join()

export type Lack =
  | { step: 0; what: 'arrival' | 'identity' | 'consent' | 'guardian' }
  | { step: 1; what: 'findings'; category: Category; field: string }
  | { step: 1; what: 'only_one' }
  | { step: 2; what: 'photo'; kind: EvidenceKind }
  | { step: 3; what: 'decision' | 'reason' | 'qualified'; category: Category }
  | { step: 3; what: 'co_signer' }
  | { step: 4; what: 'signature_resident' | 'signature_assessor' }

/** Who signs: the rater, then each colleague who signs beside. */
export interface Signer {
  id: string
  full_name: string
  categories: readonly Category[]
}

/** Whether a signature stands for what it was given for: the result that was read out, and the name it was given under. */
export const isStill = ({ said, name }: Media, { consentName }: EvaluationDraft, result: string): boolean =>
  (said ?? result) === result && (name ?? consentName.trim()) === consentName.trim()

/** Whether a picture of the visit is part of the form as it stands now; a signature only of who signs it as it is. */
export function isPart(item: Media, draft: EvaluationDraft, signers: readonly Signer[], said: string): boolean {
  const { kind, signer } = item
  if (!standsIn(item, draft) || !isStill(item, draft, said)) return false
  if (kind === 'signature_assessor') return signers.some(({ id }) => id === signer)
  return kind !== 'signature_resident' || signer === null || signer === draft.consentBy
}

/** When the person is seen, for their age: as at the office, a corrected copy is of when they signed what it carries. */
export function seenAt(draft: EvaluationDraft, pictures: readonly Media[], now: number): number {
  const signed = pictures.filter((item) => draft.corrects && item.kind === 'signature_resident' && standsIn(item, draft))
  return signed.length ? Math.min(now, Math.max(...signed.map(({ taken_at }) => Date.parse(taken_at)))) : now
}

/** Categories for which the legal guardian takes part whatever the age. */
const GUARDED: readonly Category[] = ['intellectual', 'mental']

/** Whether a guardian asks and signs. */
export const needsGuardian = (parts: readonly { category: Category }[], age: number): boolean =>
  age < 18 || parts.some(({ category }) => GUARDED.includes(category))

/** Assessors who must sign beside the rater, by the office's rule; an older office names none: one. */
export const signersBeside = (policy?: Policy): number => policy?.co_signers ?? 1

/** Photos that the categories ask for, beside those of the visit as it was planned. */
export function evidenceFor(planned: readonly EvidenceKind[], parts: readonly PartDraft[]): EvidenceKind[] {
  const physical = parts.some(({ category }) => category === 'physical')
  return [...new Set<EvidenceKind>([...planned, ...(physical ? (['affected_part'] as const) : [])])]
}

/** Colleagues who may sign beside: qualified for a category at hand, and not who nominated the person. */
export function mayCoSign<T extends Signer>(all: readonly T[], parts: readonly PartDraft[], nominator?: string): T[] {
  return all.filter(
    ({ id, categories }) => id !== nominator && parts.some(({ category }) => categories.includes(category)),
  )
}

/** Whether there is a result to read out: nothing is missing in the findings, and nothing is left to the doctor. */
export const hasResult = (results: readonly PartResult[]): boolean =>
  results.every(({ problem, needsDecision }) => !problem && !needsDecision)

/** Of several categories one alone is met: the whole would not be, although that one is. */
export const isOneOfSeveral = (results: readonly PartResult[]): boolean =>
  results.length > 1 && hasResult(results) && results.filter(({ grade }) => grade !== null).length === 1

/** Everything that is still missing, in the order of the steps. */
export function lacks(
  draft: EvaluationDraft,
  results: PartResult[],
  media: Media[],
  evidence: readonly EvidenceKind[],
  age: number,
  signers: readonly Signer[],
  coSignersNeeded: number,
): Lack[] {
  const kinds = new Set(media.map(({ kind }) => kind))
  const found: Lack[] = []
  if (draft.arrivedAt === null) found.push({ step: 0, what: 'arrival' })
  if (!draft.identityChecked) found.push({ step: 0, what: 'identity' })
  if (needsGuardian(draft.parts, age) && !draft.guardianPresent) found.push({ step: 0, what: 'guardian' })
  if (!draft.consentGiven || draft.consentName.trim() === '') found.push({ step: 0, what: 'consent' })
  for (const { part, problem } of results) {
    if (problem) found.push({ step: 1, what: 'findings', category: part.category, field: problem.field })
  }
  if (isOneOfSeveral(results)) found.push({ step: 1, what: 'only_one' })
  for (const kind of evidence) if (!kinds.has(kind)) found.push({ step: 2, what: 'photo', kind })
  for (const { part, needsDecision, needsReason } of results) {
    if (needsDecision) found.push({ step: 3, what: 'decision', category: part.category })
    if (needsReason) found.push({ step: 3, what: 'reason', category: part.category })
  }
  if (signers.length <= coSignersNeeded) found.push({ step: 3, what: 'co_signer' })
  for (const { category } of draft.parts) {
    const someoneMay = signers.some(({ categories }) => categories.includes(category))
    if (!someoneMay) found.push({ step: 3, what: 'qualified', category })
  }
  if (!kinds.has('signature_resident')) found.push({ step: 4, what: 'signature_resident' })
  const signed = new Set(media.filter(({ kind }) => kind === 'signature_assessor').map(({ signer }) => signer))
  if (!signers.every(({ id }) => signed.has(id))) found.push({ step: 4, what: 'signature_assessor' })
  return found
}

/** The mutation that says it all. */
export function submission(
  draft: EvaluationDraft,
  application: string,
  results: PartResult[],
  media: Media[],
  standard: Standard,
  age: number,
  at: string,
): SubmitEvaluation {
  const parts: EvaluationPart[] = results.map(({ part, grade }) => ({
    category: part.category,
    findings: findingsOf(part, standard, age),
    grade,
    reason: reasonOf(part),
  }))
  return {
    ...(draft.corrects && { corrects: draft.corrects }),
    evaluation: draft.evaluation,
    visit: draft.visit,
    application,
    parts,
    grade: overallGrade(results, standard),
    identity_checked: draft.identityChecked,
    guardian_present: draft.guardianPresent,
    consent: { by: draft.consentBy, name: draft.consentName.trim() },
    co_signers: draft.coSigners,
    arrived_at: draft.arrivedAt ?? at,
    evaluated_at: at,
    place: draft.place,
    remark: draft.remark.trim(),
    media: media.map(declaration),
  }
}

/** What is said of a picture beside its bytes. */
export function declaration({ sha256, kind, paper, size, type, taken_at, place }: Media): MediaDeclaration {
  return { sha256, kind, ...(paper && { paper }), size, type, taken_at, place }
}
