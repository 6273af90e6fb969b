/** What is seen first after the lock: the frame, the day, and a visit of it. */
export { default as Shell } from './Shell.vue'
export { default as TodayScreen } from './screens/TodayScreen.vue'
export { default as VisitScreen } from './screens/VisitScreen.vue'
