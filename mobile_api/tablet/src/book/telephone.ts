import { asMeant } from './identity'

/** A telephone number as the register writes it, `13812345678` or `0817-2345678`; null where it cannot be one. */
export function telephone(typed: string): string | null {
  const national = asMeant(typed)
    .replace(/[()\-‐-―]/g, '')
    .replace(/^(\+86|0086)/, '')
  if (/^1[3-9]\d{9}$/.test(national)) return national
  const landline = /^(010|02\d|0[3-9]\d{2})([2-8]\d{6,7})$/.exec(national)
  return landline ? `${landline[1]}-${landline[2]}` : null
}
