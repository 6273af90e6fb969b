import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const SRC = fileURLToPath(new URL('../src/', import.meta.url))
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(vue|ts)$/.test(name))
const known = new Set(files)

function importsOf(name: string): string[] {
  const found = readFileSync(SRC + name, 'utf8').matchAll(/^(?:import|export|\}).* from '(\.[^']+)'/gm)
  return Array.from(found, ([, path]) => join(dirname(name), path ?? ''))
    .map((path) => [path, `${path}.ts`, `${path}/index.ts`].find((item) => known.has(item)) ?? `missing: ${path}`)
}

/** What is left when every file that imports nothing left is taken away, again and again. */
function tangled(graph: Map<string, string[]>): string[] {
  const left = new Map(graph)
  for (;;) {
    const loose = [...left].filter(([, targets]) => !targets.some((target) => left.has(target)))
    if (!loose.length) return [...left.keys()].sort()
    for (const [name] of loose) left.delete(name)
  }
}

describe('the files of the app', () => {
  const graph = new Map(files.map((name) => [name, importsOf(name)]))
  it('import only what is there', () => {
    expect([...graph.values()].flat().filter((target) => target.startsWith('missing'))).toEqual([])
  })
  it('import each other in no circle', () => {
    expect(tangled(graph)).toEqual([])
  })
})
