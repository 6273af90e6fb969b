/** The draft of a nomination. Pure. */
import type { Category, Grade, Nominate } from '../core/wire'
import type { Media } from '../store/records'
import type { Safe } from '../store/safe'
import type { LeavesOut } from './pictures'

export interface NominationDraft extends LeavesOut {
  application: string
  /** the mutation that this is a corrected copy of */
  corrects?: string
  name: string
  idNumber: string
  telephone: string
  address: string
  ethnicity: string
  village: string
  bedridden: boolean
  poor: boolean
  severity: Grade | null
  categories: Category[]
  agreed: boolean
  agreedBy: 'resident' | 'guardian'
  /** the guardian, who is named and agrees */
  agreedName: string
  guardianTelephone: string
  relation: string
}

export const blankNomination = (application: string): NominationDraft => ({
  application,
  name: '',
  idNumber: '',
  telephone: '',
  address: '',
  ethnicity: '',
  village: '',
  bedridden: false,
  poor: false,
  severity: null,
  categories: [],
  agreed: false,
  agreedBy: 'resident',
  agreedName: '',
  guardianTelephone: '',
  relation: '',
})

/** Whether anything was written in it; the village stays from the one before, and versions before this filled in 民族. */
export function isBegun(form: Partial<NominationDraft>): boolean {
  const { application = '', village = '', ethnicity = '' } = form
  const empty = { ...blankNomination(application), village, ethnicity }
  return Object.entries(empty).some(
    ([field, blank]) => JSON.stringify(form[field as keyof typeof empty] ?? blank) !== JSON.stringify(blank),
  )
}

export const NOMINATION = 'nomination/new'

/** The nomination that is being written; papers may be photographed before a word is. */
export function begunNomination({ drafts, media }: Pick<Safe, 'drafts' | 'media'>): NominationDraft | null {
  const form = drafts.get(NOMINATION) as NominationDraft | undefined
  const isIts = ({ owner, state }: Media) => owner === form?.application && state === 'draft'
  return form && (isBegun(form) || [...media.values()].some(isIts)) ? form : null
}

/** The form as it was when this was said. */
export function nominationOf({ application, resident, village, categories, consent, guardian }: Nominate): NominationDraft {
  return {
    application,
    name: resident.name,
    idNumber: resident.id_number,
    telephone: resident.telephone,
    address: resident.address,
    ethnicity: resident.ethnicity,
    bedridden: resident.bedridden,
    poor: resident.poor_household,
    severity: resident.severity_expected,
    village,
    categories: [...categories],
    agreed: consent !== null,
    agreedBy: consent?.by ?? 'resident',
    // Who asks alone is called as the person is, also where that name is what is corrected.
    agreedName: guardian?.name ?? (consent?.by === 'guardian' ? consent.name : ''),
    // Earlier versions named none.
    guardianTelephone: guardian?.telephone ?? '',
    relation: guardian?.relation ?? '',
  }
}
