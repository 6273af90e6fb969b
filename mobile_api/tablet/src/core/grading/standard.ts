/** The grading standard as the server sends it (`standard/<edition>`): data, no rule of its own. */
import type { Category, Grade } from '../wire'
import { compare, decimal, roundedHalfUp, type Decimal } from './decimal'

export interface Label {
  zh: string
  en: string
}

export interface Bounds {
  at_least?: number | string
  above?: number | string
  at_most?: number | string
  below?: number | string
}

export interface Band extends Bounds {
  grade?: Grade
  printed: string
}

export interface Scale extends Label {
  unit: string
  rounding: 'none' | 'half_up'
  asks_when_rounding_matters?: boolean
  bands: Band[]
}

export interface Measure extends Bounds {
  finding: string
  printed: string
  clause: string
}

export interface Choice extends Label {
  code: string | number
  grade?: Grade
  clause: string
  by_judgement?: boolean
  measures?: Measure[]
  age_at_least?: string
}

export interface Precondition extends Bounds {
  of: string
  one_of?: string[]
  none_of?: string[]
  given?: boolean
}

export interface FindingRule extends Label {
  name: string
  kind: 'number' | 'number_or_choice' | 'numbers' | 'choice' | 'choice_or_null'
  scale?: string
  choices?: string
  unit?: string
  minimum?: number
  maximum?: number
  labels?: string[]
  null_zh?: string
  null_en?: string
  needed_when?: Precondition[][]
}

export interface CategoryRule extends Label {
  code: Category | 'multiple'
  digit: number
  clause: string
  note_zh: string
  note_en: string
  findings: FindingRule[]
}

export interface Standard {
  edition: string
  title_zh: string
  title_en: string
  grades: (Label & { grade: Grade; printed: string })[]
  not_met: Label
  age: Label & { minimum: number; maximum: number }
  decimals_at_most: number
  scales: Record<string, Scale>
  choices: Record<string, Choice[]>
  parameters: Record<string, { value: number }>
  categories: CategoryRule[]
  messages: Record<string, Label & { clause: string }>
}

export function categoryRule(standard: Standard, code: string): CategoryRule {
  return found(standard.categories.find((category) => category.code === code))
}

export function findingRule(standard: Standard, category: string, name: string): FindingRule {
  return found(categoryRule(standard, category).findings.find((rule) => rule.name === name))
}

export function parameter(standard: Standard, name: string): number {
  return found(standard.parameters[name]).value
}

export function scaleOf(standard: Standard, name: string): Scale {
  return found(standard.scales[name])
}

export function choicesOf(standard: Standard, name: string | undefined): Choice[] {
  return found(standard.choices[name ?? ''])
}

export function gradeLabel(standard: Standard, grade: Grade | null): Label {
  return grade === null ? standard.not_met : found(standard.grades.find((row) => row.grade === grade))
}

/** Whether a value lies within all the bounds; a bound that is a text names a parameter. */
export function within(bounds: Bounds, value: Decimal, standard: Standard): boolean {
  const against = (bound: number | string): number => {
    const figure = typeof bound === 'string' ? parameter(standard, bound) : bound
    return compare(value, found(decimal(figure)))
  }
  return (
    (bounds.at_least === undefined || against(bounds.at_least) >= 0) &&
    (bounds.above === undefined || against(bounds.above) > 0) &&
    (bounds.at_most === undefined || against(bounds.at_most) <= 0) &&
    (bounds.below === undefined || against(bounds.below) < 0)
  )
}

/** The value as the standard compares it. */
export const roundedBy = (scale: Scale, value: Decimal): Decimal =>
  scale.rounding === 'half_up' ? roundedHalfUp(value) : value

export function rawGrade(scale: Scale, value: Decimal, standard: Standard): Grade | null {
  return found(scale.bands.find((band) => within(band, value, standard))).grade ?? null
}

export const gradeOf = (scale: Scale, value: Decimal, standard: Standard): Grade | null =>
  rawGrade(scale, roundedBy(scale, value), standard)

/** The standard names what is not in it: it is broken, and nothing can be graded by it. */
export class BadStandard extends Error {}

function found<T>(item: T | undefined | null): T {
  if (item === undefined || item === null) throw new BadStandard()
  return item
}
