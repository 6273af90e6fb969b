/** Every screen behind the lock, loaded when it is first shown or when there is nothing else to do. */
import { h, shallowRef, type Component, type FunctionalComponent } from 'vue'
import { speaking } from './app'

const day = () => import('./day')
const rest = () => import('./rest')
type Day = Awaited<ReturnType<typeof day>>
type Rest = Awaited<ReturnType<typeof rest>>

/** Vue's own way knows of pages that were drawn by a server, and of waiting and failing screens: half a kilobyte of the shell. */
function later(load: () => Promise<Component>): Component {
  const loaded = shallowRef<Component | null>(null)
  let asked = false
  const screen: FunctionalComponent = (_props, { attrs, slots }) => {
    if (!asked) {
      asked = true
      load().then(
        (found) => (loaded.value = found),
        () => (asked = false),
      )
    }
    return loaded.value && h(loaded.value, attrs, slots)
  }
  screen.inheritAttrs = false
  return screen
}
const ofDay = (pick: (screens: Day) => Component) => later(async () => pick(await day()))
const ofRest = (pick: (screens: Rest) => Component) => later(async () => pick(await rest()))

export const Shell = ofDay((screens) => screens.Shell)
export const EnrolScreen = ofRest((screens) => screens.EnrolScreen)
export const HandInScreen = ofRest((screens) => screens.HandInScreen)

const today = ofDay((screens) => screens.TodayScreen)
const schedule = ofRest((screens) => screens.ScheduleScreen)
const renew = ofRest((screens) => screens.RenewScreen)
const SCREENS: Record<string, Component> = {
  home: today,
  today,
  visit: ofDay((screens) => screens.VisitScreen),
  evaluate: ofRest((screens) => screens.EvaluationScreen),
  'not-done': ofRest((screens) => screens.NotDoneScreen),
  contact: ofRest((screens) => screens.ContactScreen),
  calendar: ofRest((screens) => screens.CalendarScreen),
  schedule,
  move: schedule,
  certificates: ofRest((screens) => screens.CertificatesScreen),
  nominate: ofRest((screens) => screens.NominateScreen),
  outbox: ofRest((screens) => screens.OutboxScreen),
  disputes: ofRest((screens) => screens.DisputesScreen),
  ready: ofRest((screens) => screens.ReadyScreen),
  renew,
  enrol: renew,
  'hand-in': HandInScreen,
  more: ofRest((screens) => screens.MoreScreen),
}

export const screenOf = (name: string): Component => SCREENS[name] ?? today

/** While the PIN is typed: what will be seen first. */
export const prepareToday = (): Promise<unknown> => Promise.all([day(), speaking()])

/** Once the day is on the screen: all else, so that no later screen waits or needs a line. */
export const prepareRest = (): Promise<unknown> => rest()
