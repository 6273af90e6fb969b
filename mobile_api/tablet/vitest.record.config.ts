import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** The conversation of a release, written down by `tests/mobile_api/recording.py`. */
export default defineConfig({
  resolve: { alias: { '@': here('./src') } },
  test: { include: ['tests/record/*.test.ts'], environment: 'node', setupFiles: ['tests/setup.ts'] },
})
