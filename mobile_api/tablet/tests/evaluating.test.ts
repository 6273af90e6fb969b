import { describe, expect, it, vi } from 'vitest'
import { effectScope, ref } from 'vue'
import { newDraft, type EvaluationDraft } from '@/book/evaluation'
import type { VisitView } from '@/book/views'
import type { SubmitEvaluation } from '@/core/wire'
import type { Media } from '@/store/records'
import { useEvaluation } from '@/ui/evaluation/useEvaluation'
import { standard } from './support/standard'

/** The form is opened on a tablet that holds these pictures and drafts, at this moment. */
const here = vi.hoisted(() => ({
  now: 0,
  media: [] as unknown[],
  drafts: new Map<string, unknown>(),
  said: [] as unknown[],
}))
vi.mock('@/i18n', () => ({ language: { value: 'zh' }, t: String, tc: String }))
vi.mock('@/ui/app', () => {
  const me = { id: 'me', full_name: '陈医生', role: 'assessor', categories: ['intellectual'] }
  const safe = {
    drafts: here.drafts,
    media: new Map(),
    keepDraft: () => Promise.resolve(),
    sayInTurn: (_name: string, _at: number, make: () => { args: unknown }) => Promise.resolve(void here.said.push(make().args)),
  }
  return {
    now: () => here.now,
    safe: () => safe,
    sync: () => Promise.resolve(),
    book: { me: ref(me), colleagues: ref([]), state: ref({ policy: { co_signers: 0 } }), media: { get value() { return here.media } } },
  }
})

const DAY = Date.parse('2018-06-04T01:00:00Z')
const visit = {
  id: 'v1',
  application: 'a1',
  categories: ['intellectual'],
  evidence: [],
  resident: { name: '任某', birth_on: '2011-06-10' },
  guardian: { name: '任父' },
} as unknown as VisitView

const signature = (kind: Media['kind'], signer: string, at: number): Media => ({
  ...{ sha256: `${kind} ${at}`, kind, size: 1, type: 'image/png', taken_at: new Date(at).toISOString(), place: null },
  ...{ owner: 'v1', signer, state: 'safe', uploadUrl: null },
})
/** Corrected at a desk, a fortnight after the visit: the child had its seventh birthday in between. */
function corrected(...signed: Media[]) {
  const draft: EvaluationDraft = {
    ...newDraft(visit, 'e1', 6),
    ...{ corrects: 'm1', arrivedAt: new Date(DAY).toISOString(), identityChecked: true, guardianPresent: true, consentGiven: true },
    parts: [{ category: 'intellectual', answers: { dq: '40' }, own: null, reason: '' }],
  }
  here.drafts.set('evaluation/v1', draft)
  here.media = signed
  here.now = DAY + 14 * 86_400_000
  return effectScope().run(() => useEvaluation(visit, standard())) as ReturnType<typeof useEvaluation>
}

describe('a corrected evaluation', () => {
  it('asks, as the office does, for what the age of the day asks on which it was signed', async () => {
    const form = corrected(signature('signature_resident', 'guardian', DAY), signature('signature_assessor', 'me', DAY))
    expect(form.missing.value).toEqual([])
    expect(await form.submit()).toBe(true)
    const [args] = here.said as SubmitEvaluation[]
    expect(args?.parts[0]?.findings).toEqual({ dq: 40 })
  })

  it('is of today where it is signed anew', () => {
    const form = corrected(
      signature('signature_resident', 'guardian', DAY),
      signature('signature_resident', 'guardian', DAY + 13 * 86_400_000),
    )
    expect(form.missing.value).toContainEqual({ step: 1, what: 'findings', category: 'intellectual', field: 'findings.iq' })
  })
})
