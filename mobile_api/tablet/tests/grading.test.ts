import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compare, decimal, meanOfFour, roundedHalfUp, spelled } from '@/core/grading/decimal'
import { grade } from '@/core/grading/grade'
import { BadFinding, readCase } from '@/core/grading/input'
import type { Sentence } from '@/core/grading/sheet'
import { SPEC, standard } from './support/standard'

interface Vector {
  name: string
  case: unknown
  expect: { grade: number | null; met: boolean; questions: string[]; reasons: string[] }
}
const read = <T>(name: string): T[] => JSON.parse(readFileSync(`${SPEC}grading/${name}.json`, 'utf8')) as T[]
const codes = (sentences: Sentence[]) => sentences.map(({ part, code }) => (part ? `${part}:${code}` : code))

const CATEGORIES = ['vision', 'hearing', 'speech', 'physical', 'intellectual', 'mental', 'multiple']

describe.each(CATEGORIES)('%s grades as the server does', (category) => {
  it.each(read<Vector>(category))('$name', (vector) => {
    const result = grade(readCase(vector.case, standard()), standard())
    expect({
      grade: result.grade,
      met: result.grade !== null,
      questions: codes(result.questions),
      reasons: codes(result.reasons),
    }).toEqual(vector.expect)
  })
})

describe('what cannot be graded is refused as the server does', () => {
  it.each(read<{ name: string; case: unknown; field: string; error: string }>('refused'))('$name', (vector) => {
    let refusal: unknown
    try {
      readCase(vector.case, standard())
    } catch (error) {
      refusal = error
    }
    expect(refusal).toBeInstanceOf(BadFinding)
    expect(refusal).toMatchObject({ field: vector.field, code: vector.error })
  })
})

describe('exact decimals', () => {
  const of = (value: number) => decimal(value) ?? { units: 0n, places: 0 }
  it('keeps a mean of decimals exact', () => {
    expect(spelled(meanOfFour([90.3, 90.7, 90.6, 90.4].map(of)))).toBe('90.5')
  })
  it.each([
    [90.5, '91'],
    [90.25, '90'],
    [-0.5, '0'],
    [-1.5, '-1'],
    [0, '0'],
    [1e-7, '0'],
  ])('rounds %d half up to %s', (value, rounded) => {
    expect(spelled(roundedHalfUp(of(value)))).toBe(rounded)
  })
  it('orders by value, not by spelling', () => {
    expect(compare(of(0.05), of(0.1))).toBe(-1)
    expect(compare(of(1e21), of(5))).toBe(1)
    expect(compare(of(0.1), of(0.1))).toBe(0)
  })
})
