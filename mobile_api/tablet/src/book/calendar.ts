/** Whether a day and hour suits: working day, the family's times, nobody booked twice. Pure. */
import { dayOf, weekdayOf } from '../core/clock'
import type { CalendarRow, PossibleTime } from '../core/wire'
import type { VisitView } from './views'

export type Clash = 'past' | 'not_working' | 'calendar_missing' | 'family' | 'double'

export interface Slot {
  on: string
  start: string
  minutes: number
}

const minutesOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5))

/** Everything that speaks against the slot; an empty list means it suits. */
export function clashes(
  slot: Slot,
  others: readonly VisitView[],
  possible: readonly PossibleTime[],
  calendar: (year: string) => CalendarRow | null,
  now: number,
): Clash[] {
  const found: Clash[] = []
  if (slot.on < dayOf(now)) found.push('past')
  const year = calendar(slot.on.slice(0, 4))
  if (!year) found.push('calendar_missing')
  else if (year.non_working.includes(slot.on)) found.push('not_working')
  if (!suitsFamily(slot, possible)) found.push('family')
  if (others.some((visit) => overlaps(slot, visit))) found.push('double')
  return found
}

/** A family that named no times is at home whenever. */
function suitsFamily(slot: Slot, possible: readonly PossibleTime[]): boolean {
  const start = minutesOf(slot.start)
  const weekday = weekdayOf(slot.on)
  return (
    possible.length === 0 ||
    possible.some(
      (time) =>
        time.weekday === weekday && minutesOf(time.from) <= start && start + slot.minutes <= minutesOf(time.to),
    )
  )
}

/** Visits for which somebody would have to be in two homes at once. */
export const doubled = (visits: readonly VisitView[]): VisitView[] =>
  visits.filter(
    (visit) =>
      visit.state === 'scheduled' &&
      visits.some((other) => other.id !== visit.id && overlaps(visit, other) && sameHands(visit, other)),
  )

/** What was scheduled here and not sent yet names nobody: it is this tablet's own. */
const sameHands = ({ assessors: ours }: VisitView, { assessors: theirs }: VisitView): boolean =>
  !ours.length || !theirs.length || ours.some((id) => theirs.includes(id))

function overlaps(slot: Slot, visit: VisitView): boolean {
  if (visit.state !== 'scheduled' || visit.on !== slot.on) return false
  const [start, other] = [minutesOf(slot.start), minutesOf(visit.start)]
  return start < other + visit.minutes && other < start + slot.minutes
}
