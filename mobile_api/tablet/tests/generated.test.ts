import { describe, expect, it } from 'vitest'
import { grade } from '@/core/grading/grade'
import { BadFinding, readCase } from '@/core/grading/input'
import type { Sentence } from '@/core/grading/sheet'
import { python, standard } from './support/standard'

interface Generated {
  case: { category: string }
  expect: { grade: number | null; questions: string[]; reasons: string[] } | { field: string; error: string }
}
/** About half of them can be graded, so that more than ten thousand grades are compared. */
const COUNT = 20_000
const SEED = process.env.OUTREACH_LONG === '1' ? Math.floor(Math.random() * 1e9) : 26341
const codes = (sentences: Sentence[]) => sentences.map(({ part, code }) => (part ? `${part}:${code}` : code))

function verdict(asked: unknown): Generated['expect'] {
  try {
    const { grade: found, questions, reasons } = grade(readCase(asked, standard()), standard())
    return { grade: found, questions: codes(questions), reasons: codes(reasons) }
  } catch (error) {
    if (!(error instanceof BadFinding)) throw error
    return { field: error.field, error: error.code }
  }
}

describe('generated cases', () => {
  const rows = JSON.parse(python('-m', 'tests.spec.generated', String(COUNT), String(SEED))) as Generated[]
  const graded = rows.filter((row) => 'grade' in row.expect)
  it(`are graded and refused as the server does it (${COUNT}, seed ${SEED})`, () => {
    const wrong = rows.filter((row) => JSON.stringify(verdict(row.case)) !== JSON.stringify(row.expect))
    expect(wrong.slice(0, 3)).toEqual([])
  })
  it('are enough, and reach every category, grade and refusal', () => {
    process.stdout.write(`${graded.length} of ${rows.length} generated cases were graded, the others refused\n`)
    expect(rows.length).toBe(COUNT)
    expect(graded.length).toBeGreaterThan(10_000)
    const seen = new Set(graded.map((row) => `${row.case.category} ${(row.expect as { grade: number | null }).grade}`))
    const grades = [1, 2, 3, 4, null]
    const categories = ['vision', 'hearing', 'speech', 'physical', 'intellectual', 'mental', 'multiple']
    const wanted = categories.flatMap((category) => grades.map((found) => `${category} ${found}`))
    expect(wanted.filter((pair) => !seen.has(pair))).toEqual([])
  })
})
