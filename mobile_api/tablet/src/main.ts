import '@tokens'
import './ui/app.css'
import { createApp, watch } from 'vue'
import App from './ui/App.vue'
import { app, start } from './ui/app'
import { prepareRest, prepareToday } from './ui/screens'
import { watchForUpdates } from './ui/update'

/** Not in the way of what is on the screen; browsers without it get a moment's pause. */
const whenIdle = (work: () => unknown) =>
  'requestIdleCallback' in window ? requestIdleCallback(() => void work(), { timeout: 2_000 }) : setTimeout(work, 200)

createApp(App).mount('#app')
void start().then(() => {
  whenIdle(() => prepareToday())
  void watchForUpdates()
})
watch(
  () => app.phase,
  (phase) => {
    if (phase === 'open') whenIdle(() => prepareRest())
  },
)
