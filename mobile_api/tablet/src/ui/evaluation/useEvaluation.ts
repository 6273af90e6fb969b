import { computed, inject, type InjectionKey } from 'vue'
import { evidenceFor, hasResult, isOneOfSeveral, isPart, isStill, lacks, mayCoSign, newDraft, overallGrade, partResult, readOut, seenAt, signersBeside, submission, type EvaluationDraft, type Signer } from '../../book/evaluation'
import { declared, takeOut } from '../../book/pictures'
import type { VisitView } from '../../book/views'
import { position } from '../../capture/position'
import type { Picture } from '../../capture/pictures'
import { dayOf } from '../../core/clock'
import { newId } from '../../core/ids'
import type { EvidenceKind } from '../../core/wire'
import type { Standard } from '../../core/grading/standard'
import type { Media } from '../../store/records'
import { NotSaved } from '../../store/safe'
import { book, now, safe, sync } from '../app'
import { useDraft } from '../drafts'
import { SamePicture, useSaving } from '../saving'
import { age, gradeWord } from '../format'

/** Everything the steps of one evaluation share. */
export function useEvaluation(visit: VisitView, standard: Standard) {
  const key = `evaluation/${visit.id}`
  const { draft, state, type, settle, flush, finish, during } = useDraft<EvaluationDraft>(key, () => newDraft(visit, newId(now()), age(visit.resident.birth_on, now())), { seen: visit })
  const home = safe()
  const me: Signer = book.me.value ?? { id: '', full_name: '', categories: [] }
  const pictures = computed(() => book.media.value.filter(({ owner }) => owner === visit.id))
  const years = computed(() => age(visit.resident.birth_on, seenAt(draft, pictures.value, now())))
  // Each part by itself: a key press in one category grades that one only.
  const each = computed(() => draft.parts.map((part) => computed(() => partResult(part, standard, years.value))))
  const results = computed(() => each.value.map((result) => result.value))
  /** In words, and null before there is one: nobody is told "not met" of what was not examined. */
  const result = computed(() =>
    hasResult(results.value) && !isOneOfSeveral(results.value) ? gradeWord(overallGrade(results.value, standard)) : null,
  )
  const evidence = computed(() => evidenceFor(visit.evidence, draft.parts))
  const colleagues = computed(() => mayCoSign(book.colleagues.value, draft.parts, visit.nominated_by))
  // Who was chosen and may sign no more, by another duty or another category, is not waited for.
  const signers = computed<Signer[]>(() => [me, ...colleagues.value.filter(({ id }) => draft.coSigners.includes(id))])
  const beside = computed(() => signersBeside(book.state.value?.policy))
  const said = computed(() => readOut(results.value))
  const media = computed(() => pictures.value.filter((item) => isPart(item, draft, signers.value, said.value)))
  /** Signed for a result, or under a name, that was changed since. */
  const outdated = computed(() => pictures.value.some((item) => item.state === 'draft' && !isStill(item, draft, said.value)))
  const missing = computed(() =>
    lacks(draft, results.value, media.value, evidence.value, years.value, signers.value, beside.value),
  )
  const { busy, failed, saving } = useSaving()

  /** Begun on an earlier day, and broken off: who comes once more arrives anew. A corrected copy is of that day. */
  const isEarlier = computed(() => draft.arrivedAt !== null && !draft.corrects && dayOf(Date.parse(draft.arrivedAt)) < dayOf(now()))

  /** Note when and where; the place may be asked for again: inside a house it takes its time to be found. */
  async function arrive(): Promise<void> {
    if (!draft.arrivedAt || isEarlier.value) draft.arrivedAt = new Date(now()).toISOString()
    await during(async () => void (draft.place = await position()))
    await flush()
  }

  /** Keep a picture; the one that it comes instead of goes in the same step. */
  async function add(picture: Picture, kind: EvidenceKind, signer: string | null = null, instead?: Media): Promise<void> {
    if (home.media.has(picture.sha256)) throw new SamePicture()
    const item: Media = {
      sha256: picture.sha256,
      kind,
      size: picture.bytes.length,
      type: picture.type,
      taken_at: new Date(now()).toISOString(),
      place: draft.place,
      owner: visit.id,
      signer,
      ...(signer && { said: said.value }),
      ...(kind === 'signature_resident' && { name: draft.consentName.trim() }),
      state: 'draft',
      uploadUrl: null,
    }
    const before = ({ sha256, kind: its, signer: whose }: Media) =>
      sha256 === instead?.sha256 || (signer !== null && its === kind && whose === signer)
    const gone = pictures.value.filter((one) => one.state === 'draft' && before(one)).map(({ sha256 }) => sha256)
    if (instead && instead.state !== 'draft') await takeOut(home, draft, instead)
    await home.change({ media: { add: [{ media: item, bytes: picture.bytes }], del: gone } })
  }

  const remove = (item: Media): Promise<void> => takeOut(home, draft, item)

  /** The pictures taken for this form that no record declares yet. */
  const unsaid = () => pictures.value.filter(({ state }) => state === 'draft').map(({ sha256 }) => sha256)

  /** Give it up: the draft goes, and with it what was taken for it alone. */
  const discard = (): Promise<boolean> =>
    saving(() => finish(() => home.change(() => ({ drafts: { del: [key] }, media: { del: unsaid() } }))))

  /** Say it: signed, chained, on the disk and read back; the draft goes in the same step. */
  async function submit(): Promise<boolean> {
    settle()
    if (missing.value.length > 0) return false
    return saving(async () => {
      const at = now()
      // In its turn: a picture that was just taken, or taken away, is on the disk by then, or is not.
      const make = () => {
        if (missing.value.length > 0) throw new NotSaved()
        const coSigners = signers.value.slice(1).map(({ id }) => id)
        const args = submission({ ...draft, coSigners }, visit.application, results.value, media.value, standard, years.value, new Date(at).toISOString())
        const meta = declared(media.value)
        // What went into no record, as a signature for another result, is nobody's any more; nor is a
        // report, begun before, that the visit came to nothing.
        const del = unsaid().filter((sha256) => !meta.some((item) => item.sha256 === sha256))
        return { args, beside: { drafts: { del: [key, `not-done/${visit.id}`] }, media: { meta, del } } }
      }
      await finish(() => home.sayInTurn('submit_evaluation', at, make))
      void sync()
    })
  }

  return {
    visit,
    standard,
    draft,
    saved: state,
    type,
    settle,
    flush,
    years,
    signers,
    beside,
    outdated,
    media,
    results,
    result,
    evidence,
    colleagues,
    missing,
    busy,
    failed,
    isEarlier,
    arrive,
    add,
    remove,
    submit,
    discard,
  }
}

export type Evaluation = ReturnType<typeof useEvaluation>
export const EVALUATION: InjectionKey<Evaluation> = Symbol('evaluation')

/** The evaluation on the screen. */
export function evaluation(): Evaluation {
  const found = inject(EVALUATION)
  if (!found) throw new Error('no evaluation is open')
  return found
}
