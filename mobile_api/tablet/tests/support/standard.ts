import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Standard } from '@/core/grading/standard'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))

let kept: Standard | undefined

/** What the server's own code writes, run by the environment that runs these tests. */
export function python(...words: string[]): string {
  const found = [`${ROOT}.venv/bin/python`].find((path) => existsSync(path)) ?? 'python3'
  return execFileSync(found, words, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 })
}

/** The standard exactly as the server hands it out, read by the server's own code. */
export function standard(): Standard {
  const script =
    'import json; from outreach.domain.grading_standard import standard_as_json; print(json.dumps(standard_as_json()))'
  kept ??= JSON.parse(python('-c', script)) as Standard
  return kept
}

export const SPEC = `${ROOT}tests/spec/`
