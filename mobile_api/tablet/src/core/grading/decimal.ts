/** Exact decimal numbers: a mean of 90.5 must not become 90.49999 on the way to a grade. */
export interface Decimal {
  readonly units: bigint
  readonly places: number
}

/** Read the number exactly as it is written; null for what is not finite. */
export function decimal(value: number): Decimal | null {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value))
  if (!match) return null
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const places = fraction.length - Number(exponent)
  const units = BigInt(`${sign}${whole}${fraction}`)
  return places >= 0 ? { units, places } : { units: units * 10n ** BigInt(-places), places: 0 }
}

export const whole = (value: number): Decimal => ({ units: BigInt(value), places: 0 })

export function compare(a: Decimal, b: Decimal): number {
  const places = Math.max(a.places, b.places)
  const difference = scaled(a, places) - scaled(b, places)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** The mean of four values: exact, since a quarter is 0.25. */
export function meanOfFour(values: readonly Decimal[]): Decimal {
  const places = Math.max(...values.map((value) => value.places))
  const sum = values.reduce((total, value) => total + scaled(value, places), 0n)
  return { units: sum * 25n, places: places + 2 }
}

/** Round to a whole number; .5 rounds up. */
export function roundedHalfUp(value: Decimal): Decimal {
  const one = 10n ** BigInt(value.places)
  const doubled = value.units * 2n + one
  return { units: floorDiv(doubled, one * 2n), places: 0 }
}

export const isWhole = (value: Decimal): boolean => value.units % 10n ** BigInt(value.places) === 0n

/** Spell it without an exponent or closing zeros. */
export function spelled({ units, places }: Decimal): string {
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, '0')
  const cut = digits.length - places
  const fraction = digits.slice(cut).replace(/0+$/, '')
  return `${units < 0n ? '-' : ''}${digits.slice(0, cut)}${fraction && `.${fraction}`}`
}

function scaled(value: Decimal, places: number): bigint {
  return value.units * 10n ** BigInt(places - value.places)
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b < 0n ? quotient - 1n : quotient
}
