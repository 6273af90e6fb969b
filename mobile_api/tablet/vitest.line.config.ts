import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** What needs a server and a line: pytest lays both. */
export default defineConfig({
  resolve: { alias: { '@': here('./src') } },
  test: { include: ['tests/line/*.test.ts'], environment: 'node', setupFiles: ['tests/setup.ts'] },
})
