/** Whether a day and hour suits: working day, the family's times, nobody booked twice. Pure. */
import { dayOf, timeOf, weekdayOf } from '../core/clock'
import type { CalendarRow, PossibleTime } from '../core/wire'
import type { VisitView } from './views'

export type Clash = 'past' | 'hour_past' | 'not_working' | 'calendar_missing' | 'family' | 'family_leaves' | 'double'

/** What a second look, or a call to the family, settles; with anything else the office takes no visit in. */
export const isAskable = (clash: Clash): boolean => ['hour_past', 'family', 'family_leaves'].includes(clash)

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
  // A slip between 8 and 18, or somebody whose door stood open an hour ago.
  if (slot.on === dayOf(now) && slot.start < timeOf(now)) found.push('hour_past')
  const year = calendar(slot.on.slice(0, 4))
  if (!year) found.push('calendar_missing')
  else if (year.non_working.includes(slot.on)) found.push('not_working')
  found.push(...familysSay(slot, possible))
  if (others.some((visit) => overlaps(slot, visit))) found.push('double')
  return found
}

/** What the family's times say; one that named none is at home whenever. As at the office, it is the beginning that counts. */
function familysSay({ on, start, minutes }: Slot, possible: readonly PossibleTime[]): Clash[] {
  const then = possible.filter(({ weekday, from, to }) => weekday === weekdayOf(on) && from <= start && start <= to)
  const suits = possible.length === 0 || then.some(({ to }) => minutesOf(start) + minutes <= minutesOf(to))
  return suits ? [] : [then.length > 0 ? 'family_leaves' : 'family']
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
