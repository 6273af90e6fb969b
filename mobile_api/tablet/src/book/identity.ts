/** The ID number by GB 11643-1999: its check digit (ISO 7064 MOD 11-2), birth date and sex. */
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const CHECKS = '10X98765432'

export interface Identity {
  value: string
  birthOn: string
  sex: 'male' | 'female'
}

/** Whether it can be a name: of characters, without the letters that an input method left behind. */
export const isName = (typed: string): boolean =>
  typed.trim() !== '' && !/(?!\p{Script=Han})[\p{L}\p{N}]/u.test(typed)

/** A number as its digits mean it, without blanks and the marks that one copied from a contact has around it. */
export const asMeant = (typed: string): string => typed.normalize('NFKC').replace(/[\s\p{Cf}]/gu, '')

/** Read an ID number; null where it cannot be one. */
export function identity(typed: string): Identity | null {
  const value = asMeant(typed).toUpperCase()
  if (!/^\d{17}[\dX]$/.test(value)) return null
  const sum = WEIGHTS.reduce((total, weight, index) => total + weight * Number(value[index]), 0)
  if (CHECKS[sum % 11] !== value[17]) return null
  const birthOn = `${value.slice(6, 10)}-${value.slice(10, 12)}-${value.slice(12, 14)}`
  const real = new Date(`${birthOn}T00:00:00Z`)
  if (Number.isNaN(real.getTime()) || real.toISOString().slice(0, 10) !== birthOn) return null
  return { value, birthOn, sex: Number(value[16]) % 2 === 1 ? 'male' : 'female' }
}
