import '@tokens'
import './ui/app.css'
import { createApp } from 'vue'
import App from './ui/App.vue'
import { start } from './ui/app'
import { watchForUpdates } from './ui/update'

createApp(App).mount('#app')
void start()
void watchForUpdates()
