/**
 * The grade that the standard gives to findings, why, and what it leaves to the doctor. The same
 * clauses as the server's `outreach/domain/grading.py`, held to the same vectors.
 */
import type { Category, Grade } from '../wire'
import { compare, meanOfFour, whole, type Decimal } from './decimal'
import { checkCase, type Case } from './input'
import { Sheet, type Sentence } from './sheet'
import { categoryRule, parameter, within, type Choice, type Label, type Measure, type Standard } from './standard'

export interface Grading {
  category: Category | 'multiple'
  grade: Grade | null
  questions: Sentence[]
  reasons: Sentence[]
  parts: Grading[]
}

/** Grade a case by the standard. Raises BadFinding when a finding is missing or impossible. */
export function grade(item: Case, standard: Standard): Grading {
  const found = checkCase(item, standard)
  if (item.category === 'multiple') return multiple(item, standard)
  const sheet = new Sheet(item.age, found, standard)
  const result = RULES[item.category](sheet)
  return { category: item.category, grade: result, questions: sheet.questions, reasons: sheet.reasons, parts: [] }
}

/** Whether the findings leave the grade to the doctor. */
export const isUndecided = ({ grade, questions }: Grading): boolean => grade === null && questions.length > 0

type MaybeGrade = Grade | null

const severest = (a: MaybeGrade, b: MaybeGrade): MaybeGrade => (a === null ? b : b === null || a < b ? a : b)
const mildest = (a: MaybeGrade, b: MaybeGrade): MaybeGrade => (a === null || b === null ? null : a > b ? a : b)

const EYES = { right: { zh: '右眼', en: 'Right eye' }, left: { zh: '左眼', en: 'Left eye' } }
const EARS = { right: { zh: '右耳', en: 'Right ear' }, left: { zh: '左耳', en: 'Left ear' } }
type Side = 'right' | 'left'

/** 5.2: per eye the more severe of acuity and field; of the person the better eye. */
function vision(sheet: Sheet): MaybeGrade {
  const result = mildest(eye(sheet, 'right'), eye(sheet, 'left'))
  sheet.note('vision_better_eye', { grade: sheet.named(result) })
  return result
}

function eye(sheet: Sheet, side: Side): MaybeGrade {
  const [byAcuity, acuity] = acuityOf(sheet, `acuity_${side}`)
  const words = { eye: EYES[side], acuity }
  const field = `field_radius_${side}`
  if (!sheet.given(field)) {
    sheet.note('vision_eye', { ...words, grade: sheet.named(byAcuity) })
    return byAcuity
  }
  const radius = sheet.number(field)
  const byField = sheet.grade('field_radius', radius)
  const result = severest(byAcuity, byField)
  sheet.note('vision_eye_field', {
    ...words,
    acuity_grade: sheet.named(byAcuity),
    field: radius,
    field_grade: sheet.named(byField),
    grade: sheet.named(result),
  })
  return result
}

function acuityOf(sheet: Sheet, finding: string): [MaybeGrade, Decimal | Label] {
  if (typeof sheet.found.get(finding) === 'string') {
    const choice = sheet.chosen('acuity', finding)
    return [choice.grade ?? null, choice]
  }
  const value = sheet.number(finding)
  return [sheet.grade('acuity', value), value]
}

/** 5.3: the mean of four frequencies in the better ear, rounded; a close call is asked. */
function hearing(sheet: Sheet): MaybeGrade {
  const [right, left] = [ear(sheet, 'right'), ear(sheet, 'left')]
  const raw = compare(right, left) <= 0 ? right : left
  const result = sheet.grade('hearing_loss', raw)
  sheet.note('hearing_better_ear', { grade: sheet.named(result) })
  const byRaw = sheet.rawGrade('hearing_loss', raw)
  if (sheet.scale('hearing_loss').asks_when_rounding_matters && byRaw !== result) {
    sheet.ask('hearing_rounding', {
      raw,
      raw_grade: sheet.named(byRaw),
      rounded: sheet.rounded('hearing_loss', raw),
      grade: sheet.named(result),
    })
  }
  return countedForAge(sheet, result)
}

function ear(sheet: Sheet, side: Side): Decimal {
  const raw = meanOfFour(sheet.numbers(`${side}_db`))
  sheet.note('hearing_ear', {
    ear: EARS[side],
    raw,
    rounded: sheet.rounded('hearing_loss', raw),
    grade: sheet.named(sheet.grade('hearing_loss', raw)),
  })
  return raw
}

/** 5.3, note: within 3 years the mildest grade does not count. */
function countedForAge(sheet: Sheet, result: MaybeGrade): MaybeGrade {
  const age = sheet.parameter('hearing_child_age_at_most')
  if (result === null || sheet.age > age) return result
  if (result <= sheet.parameter('hearing_child_grade_at_most')) return result
  sheet.note('hearing_child', { grade: sheet.named(result), age })
  return null
}

/** 5.4: intelligibility and the expression test; a disagreement is the doctor's. */
function speech(sheet: Sheet): MaybeGrade {
  const age = sheet.parameter('speech_age_at_least')
  if (sheet.age < age) {
    sheet.note('speech_under_age', { age })
    return null
  }
  const percent = sheet.number('intelligibility_percent')
  const byPercent = sheet.grade('intelligibility', percent)
  const [byLevel, level] = expression(sheet)
  const grades = { percent_grade: sheet.named(byPercent), level_grade: sheet.named(byLevel) }
  sheet.note('speech_measures', { percent, level, ...grades })
  if (byPercent !== byLevel) {
    sheet.ask('speech_disagreement', grades)
    return null
  }
  sheet.note('speech_agrees', { grade: sheet.named(byPercent) })
  return byPercent
}

function expression(sheet: Sheet): [MaybeGrade, Label] {
  const finding = 'expression_below_level'
  if (sheet.given(finding)) {
    const choice = sheet.chosen('expression', finding)
    return [choice.grade ?? null, choice]
  }
  const { null_zh: zh, null_en: en } = sheet.rule('speech', finding)
  return [null, zh !== undefined && en !== undefined ? { zh, en } : sheet.named(null)]
}

/** 5.5: one listed condition that holds, *and* the independence phrase of the same grade. */
function physical(sheet: Sheet): MaybeGrade {
  const condition = sheet.chosen('condition', 'condition')
  if (condition.grade === undefined) {
    sheet.note('physical_no_condition', {})
    return null
  }
  const code = condition.by_judgement ? 'physical_judged' : 'physical_condition'
  sheet.note(code, { condition, grade: sheet.named(condition.grade) }, condition.clause)
  if (!conditionHolds(sheet, condition)) {
    sheet.note('physical_condition_not_met', {})
    return null
  }
  return withIndependence(sheet, condition)
}

function conditionHolds(sheet: Sheet, condition: Choice): boolean {
  const measures = condition.measures ?? []
  const reached = measures.filter(({ finding }) => sheet.given(finding)).map((measure) => isReached(sheet, measure))
  if (condition.age_at_least !== undefined) {
    const age = sheet.parameter(condition.age_at_least)
    if (sheet.age < age) {
      sheet.note('physical_adults_only', { age }, condition.clause)
      return false
    }
  }
  return measures.length === 0 || reached.includes(true)
}

function isReached(sheet: Sheet, measure: Measure): boolean {
  const rule = sheet.rule('physical', measure.finding)
  const value = sheet.number(measure.finding)
  const result = within(measure, value, sheet.standard)
  const code = result ? 'physical_measure_reached' : 'physical_measure_not_reached'
  sheet.note(code, { measure: rule, value, unit: rule.unit ?? '', printed: measure.printed }, measure.clause)
  return result
}

function withIndependence(sheet: Sheet, condition: Choice): MaybeGrade {
  const independence = sheet.chosen('independence', 'independence')
  const named = sheet.named(independence.grade ?? null)
  sheet.note('physical_independence', { independence, grade: named }, independence.clause)
  if (independence.grade !== condition.grade) {
    const conditionGrade = sheet.named(condition.grade ?? null)
    sheet.ask('physical_disagreement', { independence_grade: named, condition_grade: conditionGrade })
    return null
  }
  sheet.note('physical_agrees', { grade: named }, independence.clause)
  return condition.grade ?? null
}

/** 5.6: DQ in early childhood, then IQ and adaptive behaviour; WHO-DAS only supports. */
function intellectual(sheet: Sheet): MaybeGrade {
  const young = sheet.age <= sheet.parameter('dq_age_at_most')
  const result = young ? byDq(sheet) : byIq(sheet)
  noteUnused(sheet, 'intellectual', young ? 'iq' : 'dq')
  if (sheet.given('whodas')) {
    const whodas = sheet.number('whodas')
    sheet.note('intellectual_whodas', { whodas, whodas_grade: sheet.named(sheet.grade('whodas', whodas)) })
  }
  return result
}

function byDq(sheet: Sheet): MaybeGrade {
  const dq = sheet.number('dq')
  const low = sheet.parameter('dq_by_adaptive_at_least')
  const high = sheet.parameter('dq_by_adaptive_at_most')
  const rounded = sheet.rounded('dq', dq)
  if (compare(rounded, whole(low)) < 0 || compare(rounded, whole(high)) > 0) {
    const result = sheet.grade('dq', dq)
    sheet.note('intellectual_dq', { dq, grade: sheet.named(result) })
    return result
  }
  const adaptive = sheet.chosen('adaptive', 'adaptive')
  const result = adaptive.grade ?? null
  sheet.note('intellectual_dq_by_adaptive', { dq, low, high, adaptive, grade: sheet.named(result) })
  return result
}

function byIq(sheet: Sheet): MaybeGrade {
  const iq = sheet.number('iq')
  const byQuotient = sheet.grade('iq', iq)
  const adaptive = sheet.chosen('adaptive', 'adaptive')
  const result = adaptive.grade ?? null
  const words = { iq, adaptive, grade: sheet.named(result) }
  if (byQuotient === result) sheet.note('intellectual_agrees', words)
  else {
    const grades = { iq_grade: sheet.named(byQuotient), adaptive_grade: sheet.named(result) }
    sheet.note('intellectual_adaptive_decides', { ...words, ...grades })
  }
  return result
}

function noteUnused(sheet: Sheet, category: string, finding: string): void {
  if (sheet.given(finding)) sheet.note('finding_not_used', { finding: sheet.rule(category, finding), age: sheet.age })
}

/** 5.7: more than a year; adults by WHO-DAS and adaptive behaviour, minors by the latter. */
function mental(sheet: Sheet): MaybeGrade {
  const months = sheet.number('duration_months')
  const limit = sheet.parameter('mental_duration_above_months')
  if (compare(months, whole(limit)) <= 0) {
    sheet.note('mental_duration_short', { months, limit })
    return null
  }
  sheet.note('mental_duration', { months, limit })
  const age = sheet.parameter('adult_age')
  if (sheet.age >= age) return mentalAdult(sheet)
  const adaptive = sheet.chosen('adaptive', 'adaptive')
  sheet.note('mental_minor', { age, adaptive, grade: sheet.named(adaptive.grade ?? null) })
  noteUnused(sheet, 'mental', 'whodas')
  return adaptive.grade ?? null
}

function mentalAdult(sheet: Sheet): MaybeGrade {
  const whodas = sheet.number('whodas')
  const byScore = sheet.grade('whodas', whodas)
  const adaptive = sheet.chosen('adaptive', 'adaptive')
  const byBehaviour = adaptive.grade ?? null
  if (byScore === byBehaviour) {
    sheet.note('mental_agrees', { whodas, adaptive, grade: sheet.named(byScore) })
    return byScore
  }
  const grades = { whodas_grade: sheet.named(byScore), adaptive_grade: sheet.named(byBehaviour) }
  sheet.note('mental_measures', { whodas, adaptive, ...grades })
  sheet.ask('mental_disagreement', grades)
  return null
}

/** 5.8: two or more categories that each meet their own standard; the most severe grade. */
function multiple(item: Case, standard: Standard): Grading {
  const parts = item.parts.map((part) => grade(part, standard))
  const sheet = new Sheet(item.age, new Map(), standard)
  const result = mostSevere(parts, sheet)
  return {
    category: 'multiple',
    grade: result,
    questions: [...parts.flatMap((part) => named(part, part.questions, standard)), ...sheet.questions],
    reasons: [...parts.flatMap((part) => named(part, part.reasons, standard)), ...sheet.reasons],
    parts,
  }
}

function named(part: Grading, sentences: Sentence[], standard: Standard): Sentence[] {
  const label = categoryRule(standard, part.category)
  return sentences.map((item) => ({
    ...item,
    zh: `${label.zh}：${item.zh}`,
    en: `${label.en}: ${item.en}`,
    part: part.category,
  }))
}

function mostSevere(parts: Grading[], sheet: Sheet): MaybeGrade {
  const met = parts.filter((part) => part.grade !== null)
  if (met.length < parameter(sheet.standard, 'multiple_categories_at_least')) {
    noteTooFew(parts, met, sheet)
    return null
  }
  const worst = met.reduce((a, b) => ((b.grade ?? 5) < (a.grade ?? 5) ? b : a))
  sheet.note('multiple_most_severe', {
    count: met.length,
    category: categoryRule(sheet.standard, worst.category),
    grade: sheet.named(worst.grade),
  })
  return worst.grade
}

function noteTooFew(parts: Grading[], met: Grading[], sheet: Sheet): void {
  const { standard } = sheet
  const undecided = parts.filter(isUndecided)
  if (met.length + undecided.length >= parameter(standard, 'multiple_categories_at_least')) {
    const labels = undecided.map((part) => categoryRule(standard, part.category))
    const categories = { zh: labels.map((l) => l.zh).join('、'), en: labels.map((l) => l.en).join(', ') }
    sheet.ask('multiple_awaits_doctor', { categories })
    return
  }
  for (const part of met) {
    sheet.note('multiple_only_one', {
      category: categoryRule(standard, part.category),
      grade: sheet.named(part.grade),
    })
  }
  if (met.length === 0) sheet.note('multiple_none', {})
}

const RULES: Record<Category, (sheet: Sheet) => MaybeGrade> = {
  vision,
  hearing,
  speech,
  physical,
  intellectual,
  mental,
}

