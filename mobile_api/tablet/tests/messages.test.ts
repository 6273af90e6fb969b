import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { CATEGORIES, NEXT_STEPS, NOT_DONE, PHOTO_KINDS, RELATIONS, SIGNATURE_KINDS } from '@/core/wire'
import { en } from '@/i18n/en'
import { zh } from '@/i18n/zh'

const SRC = fileURLToPath(new URL('../src/', import.meta.url))
const wordless = (text: string) => !/\p{L}/u.test(text.replace(/\{\w+\}/g, ''))
const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort()
const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(vue|ts)$/.test(name) && !name.startsWith('i18n/'))
  .map((name) => ({ name, text: readFileSync(SRC + name, 'utf8') }))

describe('the messages', () => {
  it('are the same in both languages, with the same holes', () => {
    expect(Object.keys(en)).toEqual(Object.keys(zh))
    const differing = Object.entries(zh).filter(([key, text]) => holes(text).join() !== holes(en[key as never]).join())
    expect(differing).toEqual([])
  })
  it('are Chinese in the one and free of Chinese in the other', () => {
    expect(Object.entries(zh).filter(([, text]) => !/\p{Script=Han}|PIN/u.test(text) && !wordless(text))).toEqual([])
    expect(Object.entries(en).filter(([, text]) => /\p{Script=Han}/u.test(text))).toEqual([])
  })
  it.each([
    ['category', CATEGORIES],
    ['reason', NOT_DONE],
    ['next_step', NEXT_STEPS],
    ['evidence', [...PHOTO_KINDS, ...SIGNATURE_KINDS]],
    ['evidence_hint', [...PHOTO_KINDS, 'signature_resident', 'paper']],
    ['receipt', ['only_here', 'text_safe', 'all_safe', 'disputed', 'parked', 'set_aside']],
    ['outcome', ['refused', 'conflict', 'parked']],
    ['outcome_next', ['refused', 'conflict', 'parked']],
    ['clash', ['past', 'hour_past', 'not_working', 'calendar_missing', 'family', 'family_leaves', 'double']],
    ['urgent', ['terminal_illness', 'subsidy_lapsing']],
    ['proof', ['signature', 'content']],
    ['grade', ['1', '2', '3', '4', 'not_met']],
    ['weekday', ['0', '1', '2', '3', '4', '5', '6']],
    ['bring', ['white_cloth', 'camera', ...CATEGORIES]],
    ['relation', RELATIONS],
    ['paper', ['id_card', 'household_book', 'photos', 'guardian_proof']],
  ])('have a word for every %s', (prefix, codes) => {
    expect(codes.filter((code) => !(`${prefix}.${code}` in zh))).toEqual([])
  })
  it('are the only words on the screens', () => {
    const stray = sources.filter(({ text }) => /\p{Script=Han}/u.test(text.replace(/\/\*[^]*?\*\/|<!--[^]*?-->/g, '')))
    // The eyes and ears of the standard's sentences, the names of the languages, and the way dates
    // are written; the checker is a page of its own with its words.
    expect(stray.map(({ name }) => name).sort()).toEqual([
      'checker/words.ts',
      'core/grading/grade.ts',
      'ui/format.ts',
      'ui/parts/LanguageSwitch.vue',
    ])
  })
})
