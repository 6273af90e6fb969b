/** Cases as they come from the form or the vectors, checked strictly before a rule looks at them. */
import type { Category } from '../wire'
import { compare, decimal, isWhole, whole, type Decimal } from './decimal'
import {
  categoryRule,
  choicesOf,
  roundedBy,
  scaleOf,
  within,
  type FindingRule,
  type Precondition,
  type Standard,
} from './standard'

export type Refusal =
  | 'not_a_list'
  | 'not_an_object'
  | 'unknown_field'
  | 'missing'
  | 'unknown_category'
  | 'unknown_choice'
  | 'not_number_or_choice'
  | 'not_number'
  | 'not_whole'
  | 'out_of_range'
  | 'too_fine'
  | 'wrong_count'
  | 'no_parts'
  | 'nested_multiple'
  | 'repeated_category'
  | 'different_age'
  | 'parts_twice'

/** A case cannot be graded because of what stands in one of its fields. */
export class BadFinding extends Error {
  constructor(
    readonly field: string,
    readonly code: Refusal,
  ) {
    super(`${field}: ${code}`)
  }
}

export interface Case {
  category: Category | 'multiple'
  age: number
  findings: Record<string, unknown>
  parts: Case[]
}

export type Finding = Decimal | Decimal[] | string | number | null
export type Checked = Map<string, Finding>

type Row = Record<string, unknown>

/** Read one case from its wire shape. Raises BadFinding with the path of the field. */
export function readCase(raw: unknown, standard: Standard): Case {
  const item = caseAt(raw, '', standard, null)
  checkCase(item, standard)
  return item
}

/** Check a case whole and return its findings in exact numbers. Raises BadFinding. */
export function checkCase(item: Case, standard: Standard, path = ''): Checked {
  ageAt(item.age, path, standard)
  if (item.category === 'multiple') {
    checkParts(item, standard)
    return new Map()
  }
  const { findings: rules } = categoryRule(standard, item.category)
  refuseUnknown(item.findings, `${path}findings.`, rules.map((rule) => rule.name))
  const checked: Checked = new Map()
  for (const rule of rules) {
    if (!(rule.name in item.findings)) continue
    checked.set(rule.name, valueOf(item.findings[rule.name], `${path}findings.${rule.name}`, rule, standard))
  }
  for (const rule of rules) {
    const answered = given(checked, rule.name) || (rule.kind === 'choice_or_null' && checked.has(rule.name))
    if (!answered && isNeeded(rule, rules, checked, item.age, standard)) {
      throw new BadFinding(`${path}findings.${rule.name}`, 'missing')
    }
  }
  return checked
}

/** Whether the finding was given; null counts as not given. */
export const given = (checked: Checked, name: string): boolean => (checked.get(name) ?? null) !== null

/** Whether the standard needs this finding, going by the age and the other findings. */
export function isNeeded(
  rule: FindingRule,
  rules: FindingRule[],
  checked: Checked,
  age: number,
  standard: Standard,
): boolean {
  if (!rule.needed_when) return true
  const known = new Map<string, Finding>(checked).set('age', whole(age))
  for (const { name, scale } of rules) {
    const value = checked.get(name)
    if (scale && isDecimal(value)) known.set(name, roundedBy(scaleOf(standard, scale), value))
  }
  return rule.needed_when.some((group) => group.every((test) => holds(test, known.get(test.of) ?? null, standard)))
}

/** Read one answer by its rule. Raises BadFinding. */
export function valueOf(raw: unknown, name: string, rule: FindingRule, standard: Standard): Finding {
  if (raw === null || raw === undefined) return null
  if (rule.kind === 'numbers') return numbersOf(raw, name, rule, standard)
  if (rule.kind === 'number' || (rule.kind === 'number_or_choice' && typeof raw !== 'string')) {
    return numberOf(raw, name, rule, standard)
  }
  return choiceOf(raw, name, rule, standard)
}

export function isDecimal(value: unknown): value is Decimal {
  return typeof value === 'object' && value !== null && 'units' in value
}

function holds(test: Precondition, value: Finding, standard: Standard): boolean {
  if (test.given !== undefined) return (value !== null) === test.given
  if (value === null) return false
  if (test.one_of) return test.one_of.includes(String(value))
  if (test.none_of) return !test.none_of.includes(String(value))
  return isDecimal(value) && within(test, value, standard)
}

function caseAt(raw: unknown, path: string, standard: Standard, age: number | null): Case {
  const row = rowOf(raw, path || 'case')
  refuseUnknown(row, path, ['category', 'age', 'findings', 'parts'])
  const category = categoryAt(row.category, path, standard)
  const ownAge = age !== null && !('age' in row) ? age : ageAt(row.age, path, standard)
  if (age !== null && ownAge !== age) throw new BadFinding(`${path}age`, 'different_age')
  if (category !== 'multiple') return { category, age: ownAge, findings: findingsAt(row, path), parts: [] }
  if (path) throw new BadFinding(`${path}category`, 'nested_multiple')
  return { category, age: ownAge, findings: {}, parts: partsAt(row, ownAge, standard) }
}

function findingsAt(row: Row, path: string): Row {
  if ('parts' in row) throw new BadFinding(`${path}parts`, 'unknown_field')
  if (row.findings === undefined || row.findings === null) throw new BadFinding(`${path}findings`, 'missing')
  return rowOf(row.findings, `${path}findings`)
}

function partsAt(row: Row, age: number, standard: Standard): Case[] {
  let path = 'parts'
  let parts = row.parts
  if (!('parts' in row)) {
    const findings = findingsAt(row, '')
    refuseUnknown(findings, 'findings.', ['parts'])
    path = 'findings.parts'
    parts = findings.parts
  } else if ('findings' in row) throw new BadFinding('parts', 'parts_twice')
  if (parts === undefined || parts === null) throw new BadFinding(path, 'missing')
  if (!Array.isArray(parts)) throw new BadFinding(path, 'not_a_list')
  return parts.map((part, index) => caseAt(part, `${path}[${index}].`, standard, age))
}

function checkParts(item: Case, standard: Standard): void {
  if (item.parts.length === 0) throw new BadFinding('findings.parts', 'no_parts')
  const seen = new Set<string>()
  item.parts.forEach((part, index) => {
    const here = `findings.parts[${index}].`
    if (seen.has(part.category)) throw new BadFinding(`${here}category`, 'repeated_category')
    if (part.age !== item.age) throw new BadFinding(`${here}age`, 'different_age')
    seen.add(part.category)
    checkCase(part, standard, here)
  })
}

function rowOf(raw: unknown, name: string): Row {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw new BadFinding(name.replace(/\.$/, ''), 'not_an_object')
  }
  return raw as Row
}

function refuseUnknown(row: Row, path: string, known: string[]): void {
  const stranger = Object.keys(row).find((name) => !known.includes(name))
  if (stranger !== undefined) throw new BadFinding(`${path}${stranger.slice(0, 40)}`, 'unknown_field')
}

function categoryAt(raw: unknown, path: string, standard: Standard): Category | 'multiple' {
  if (raw === null || raw === undefined) throw new BadFinding(`${path}category`, 'missing')
  const rule = standard.categories.find(({ code }) => code === raw)
  if (!rule) throw new BadFinding(`${path}category`, 'unknown_category')
  return rule.code
}

function ageAt(raw: unknown, path: string, standard: Standard): number {
  if (raw === null || raw === undefined) throw new BadFinding(`${path}age`, 'missing')
  const age = numberOf(raw, `${path}age`, { minimum: standard.age.minimum, maximum: standard.age.maximum }, standard)
  if (!isWhole(age)) throw new BadFinding(`${path}age`, 'not_whole')
  return Number(raw)
}

function numbersOf(raw: unknown, name: string, rule: FindingRule, standard: Standard): Decimal[] {
  if (!Array.isArray(raw)) throw new BadFinding(name, 'not_a_list')
  if (raw.length !== (rule.labels ?? []).length) throw new BadFinding(name, 'wrong_count')
  return raw.map((item, index) => numberOf(item, `${name}[${index}]`, rule, standard))
}

function numberOf(
  raw: unknown,
  name: string,
  { minimum = 0, maximum = 0 }: { minimum?: number; maximum?: number },
  standard: Standard,
): Decimal {
  const value = typeof raw === 'number' ? decimal(raw) : null
  if (!value) throw new BadFinding(name, 'not_number')
  const [low, high] = [decimal(minimum), decimal(maximum)]
  if (!low || !high || compare(value, low) < 0 || compare(value, high) > 0) throw new BadFinding(name, 'out_of_range')
  if (value.places > standard.decimals_at_most) throw new BadFinding(name, 'too_fine')
  return value
}

function choiceOf(raw: unknown, name: string, rule: FindingRule, standard: Standard): string | number {
  const choice = choicesOf(standard, rule.choices).find(({ code }) => code === raw)
  if (!choice) throw new BadFinding(name, rule.kind === 'number_or_choice' ? 'not_number_or_choice' : 'unknown_choice')
  return choice.code
}
