import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Give the service worker the list of files to keep, and a name that changes with any of them. */
function shellList(): Plugin {
  return {
    name: 'outreach-shell-list',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const worker = bundle['sw.js']
      if (worker?.type !== 'chunk') throw new Error('the service worker is missing')
      const files = Object.keys(bundle).filter((name) => name !== 'sw.js' && !name.endsWith('.map'))
      const fixed = ['manifest.webmanifest', 'icon.svg']
      // A code is scanned to enrol, which needs a line anyway: its reader is fetched then.
      const onTheLine = (name: string) => name.startsWith('assets/decode-')
      const digest = createHash('sha256')
      for (const name of files.sort()) {
        const item = bundle[name]
        digest.update(name).update(item?.type === 'chunk' ? item.code : (item?.source ?? ''))
      }
      for (const name of fixed) digest.update(readFileSync(here(`./public/${name}`)))
      const kept = files.filter((name) => name !== 'index.html' && !onTheLine(name))
      const list = ['./', ...kept, ...fixed]
      const build = digest.digest('hex').slice(0, 16)
      worker.code = worker.code
        .replace('__SHELL_FILES__', () => JSON.stringify(list))
        .replace('__SHELL_BUILD__', () => JSON.stringify(build))
    },
  }
}

/** English as a bare list in the order of the Chinese keys: the same keys twice weigh 3 kB. */
function leanMessages(): Plugin {
  return {
    name: 'outreach-lean-messages',
    apply: 'build',
    enforce: 'post',
    async transform(code, id) {
      if (!id.endsWith('/i18n/en.ts')) return null
      const { en } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { en: Record<string, string> }
      const zh = readFileSync(here('./src/i18n/zh.ts'), 'utf8')
      const keys = Array.from(zh.matchAll(/^ {2}'([^']+)':/gm), ([, key]) => key)
      if (keys.join() !== Object.keys(en).join()) throw new Error('the messages differ in their keys')
      const texts = JSON.stringify(Object.values(en))
      const lines = [
        "import { zh } from './zh'",
        `const texts = ${texts}`,
        'export const en = Object.fromEntries(Object.keys(zh).map((key, at) => [key, texts[at]]))',
      ]
      return { code: lines.join('\n'), map: null }
    },
  }
}

export default defineConfig({
  base: '/tablet/',
  plugins: [vue(), leanMessages(), shellList()],
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  resolve: {
    alias: {
      '@': here('./src'),
      '@tokens': here('../../outreach/static/outreach/tokens.css'),
      // The build for browsers that know `async`, as all of ours do: 2 kB of the shell.
      dexie: here('./node_modules/dexie/dist/modern/dexie.min.mjs'),
      // What tus-js-client needs these for, browsers can do by themselves: 4.4 kB of the shell.
      'url-parse': here('./src/lean/urlParse.ts'),
      'js-base64': here('./src/lean/base64.ts'),
      './error.js': here('./src/lean/tusError.ts'),
    },
  },
  build: {
    outDir: here('../static/tablet'),
    emptyOutDir: true,
    target: ['chrome109', 'safari16.4', 'firefox115'],
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      input: { index: here('./index.html'), sw: here('./src/sw.ts') },
      output: {
        entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: { port: 5173, strictPort: true, proxy: { '/api': 'http://127.0.0.1:8000' } },
})
