import type { Grade } from '../wire'
import { spelled, type Decimal } from './decimal'
import { given, isDecimal, type Checked } from './input'
import {
  BadStandard,
  choicesOf,
  findingRule,
  gradeLabel,
  gradeOf,
  parameter,
  rawGrade,
  roundedBy,
  scaleOf,
  type Choice,
  type FindingRule,
  type Label,
  type Scale,
  type Standard,
} from './standard'

/** One thing said to the doctor; `part` names the category in a multiple disability. */
export interface Sentence extends Label {
  code: string
  clause: string
  part: string | null
}

type Word = Label | Decimal | string | number

/** A case on the table: its findings, the standard, and the pen that writes the reasons down. */
export class Sheet {
  readonly reasons: Sentence[] = []
  readonly questions: Sentence[] = []

  constructor(
    readonly age: number,
    readonly found: Checked,
    readonly standard: Standard,
  ) {}

  note(code: string, words: Record<string, Word>, clause?: string): void {
    this.reasons.push(this.sentence(code, words, clause))
  }

  ask(code: string, words: Record<string, Word>): void {
    this.questions.push(this.sentence(code, words))
  }

  given(name: string): boolean {
    return given(this.found, name)
  }

  number(name: string): Decimal {
    const value = this.found.get(name)
    if (!isDecimal(value)) throw new BadStandard()
    return value
  }

  numbers(name: string): Decimal[] {
    const value = this.found.get(name)
    if (!Array.isArray(value)) throw new BadStandard()
    return value
  }

  chosen(choices: string, finding: string): Choice {
    const choice = choicesOf(this.standard, choices).find(({ code }) => code === this.found.get(finding))
    if (!choice) throw new BadStandard()
    return choice
  }

  parameter(name: string): number {
    return parameter(this.standard, name)
  }

  rule(category: string, finding: string): FindingRule {
    return findingRule(this.standard, category, finding)
  }

  scale(name: string): Scale {
    return scaleOf(this.standard, name)
  }

  grade(scale: string, value: Decimal): Grade | null {
    return gradeOf(this.scale(scale), value, this.standard)
  }

  rawGrade(scale: string, value: Decimal): Grade | null {
    return rawGrade(this.scale(scale), value, this.standard)
  }

  rounded(scale: string, value: Decimal): Decimal {
    return roundedBy(this.scale(scale), value)
  }

  named(grade: Grade | null): Label {
    return gradeLabel(this.standard, grade)
  }

  private sentence(code: string, words: Record<string, Word>, ownClause?: string): Sentence {
    const message = this.standard.messages[code]
    if (!message) throw new BadStandard()
    const clause = ownClause ?? message.clause
    const fill = (pattern: string, language: 'zh' | 'en') =>
      pattern.replace(/\{(\w+)\}/g, (_, name: string) => inWords(words[name] ?? '', language))
    const source = `${this.standard.edition} ${clause}`
    return {
      code,
      clause,
      part: null,
      zh: `${fill(message.zh, 'zh')}（${source}）`,
      en: `${fill(message.en, 'en')} (${source})`,
    }
  }
}

function inWords(value: Word, language: 'zh' | 'en'): string {
  if (isDecimal(value)) return spelled(value)
  return typeof value === 'object' ? value[language] : String(value)
}
