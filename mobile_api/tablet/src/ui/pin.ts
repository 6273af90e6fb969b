import type { MessageKey } from '../i18n'
import { PIN_SHAPE } from '../vault/wraps'

/** What a new PIN, typed twice, lacks. */
export function pinLack(pin: string, again: string): MessageKey | null {
  if (!PIN_SHAPE.test(pin)) return 'pin.shape'
  if (/^(\d)\1+$/.test(pin) || '01234567890123'.includes(pin)) return 'pin.simple'
  return pin === again ? null : 'pin.differs'
}
