import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Standard } from '@/core/grading/standard'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))

let kept: Standard | undefined

/** The standard exactly as the server hands it out, read by the server's own code. */
export function standard(): Standard {
  const python = [`${ROOT}.venv/bin/python`].find((path) => existsSync(path)) ?? 'python3'
  const script =
    'import json; from outreach.domain.grading_standard import standard_as_json; print(json.dumps(standard_as_json()))'
  kept ??= JSON.parse(execFileSync(python, ['-c', script], { cwd: ROOT, encoding: 'utf8' })) as Standard
  return kept
}

export const SPEC = `${ROOT}tests/spec/`
