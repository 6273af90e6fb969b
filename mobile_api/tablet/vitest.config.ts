import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [vue()],
  resolve: {
    alias: {
      '@': fileURLToPath(new URL('./src', import.meta.url)),
      // The build that tablets run; Node would be given its own.
      dexie: fileURLToPath(new URL('./node_modules/dexie/dist/modern/dexie.min.mjs', import.meta.url)),
    },
  },
  test: { include: ['tests/*.test.ts'], environment: 'node', setupFiles: ['tests/setup.ts'], testTimeout: 20_000 },
})
