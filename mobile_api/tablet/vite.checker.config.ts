import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Call the page index.html, and give the service worker the list of files to keep and a name for it. */
function shellList(): Plugin {
  return {
    name: 'outreach-checker-shell',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const worker = bundle['sw.js']
      const page = bundle['checker.html']
      if (worker?.type !== 'chunk' || page === undefined) throw new Error('the checker is not whole')
      const files = Object.keys(bundle).filter((name) => name.startsWith('assets/'))
      const digest = createHash('sha256')
      for (const name of [...files.sort(), 'checker.html']) {
        const item = bundle[name]
        digest.update(name).update(item?.type === 'chunk' ? item.code : (item?.source ?? ''))
      }
      worker.code = worker.code
        .replace('__SHELL_FILES__', () => JSON.stringify(['./', ...files]))
        .replace('__SHELL_BUILD__', () => JSON.stringify(digest.digest('hex').slice(0, 16)))
    },
  }
}

export default defineConfig({
  base: '/check/qr/',
  publicDir: false,
  plugins: [shellList()],
  resolve: { alias: { '@': here('./src'), '@tokens': here('../../outreach/static/outreach/tokens.css') } },
  build: {
    outDir: here('../../certificates/static/checker'),
    emptyOutDir: true,
    target: ['chrome109', 'safari16.4', 'firefox115'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: {
      input: { checker: here('./checker.html'), sw: here('./src/checker/sw.ts') },
      output: {
        entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
})
