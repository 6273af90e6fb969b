/** The one provider of time on the tablet. No clock orders anything; it only labels. */
export interface Clock {
  /** this device's wall clock, in milliseconds */
  wall(): number
  /** milliseconds that never step back */
  mono(): number
}

export const deviceClock: Clock = {
  wall: () => Date.now(),
  mono: () => performance.now(),
}

/** Days and hours of the service are those of China, whatever the tablet is set to. */
const ZONE_MS = 8 * 3_600_000
const DAY_MS = 86_400_000

/** The calendar day in Asia/Shanghai (no daylight saving since 1991). */
export const dayOf = (at: number): string => new Date(at + ZONE_MS).toISOString().slice(0, 10)

export const timeOf = (at: number): string => new Date(at + ZONE_MS).toISOString().slice(11, 16)

export function addDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY_MS).toISOString().slice(0, 10)
}

/** 0 = Monday … 6 = Sunday, as on the wire. */
export const weekdayOf = (day: string): number => (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7

/** Completed years of age on a day. */
export function ageOn(birth: string, day: string): number {
  const years = Number(day.slice(0, 4)) - Number(birth.slice(0, 4))
  return day.slice(5) < birth.slice(5) ? years - 1 : years
}
