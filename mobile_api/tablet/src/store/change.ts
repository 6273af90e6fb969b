import type { Bytes } from '../core/bytes'
import type { LogEntry, Media, PulledRow, Session, StoredOutcome, SyncState } from './records'

/** What one step changes; all of it or nothing is written. */
export interface Change {
  state?: Partial<SyncState>
  session?: Session
  log?: LogEntry
  outcomes?: StoredOutcome[]
  rows?: { put: Map<string, PulledRow>; del: string[] }
  drafts?: { put?: Map<string, unknown>; del?: string[] }
  media?: { meta?: Media[]; add?: { media: Media; bytes: Bytes }[]; dropBytes?: string[]; del?: string[] }
  files?: { add?: { k: string; bytes: Bytes }[]; del?: string[] }
  prune?: number[]
}

/** The parts of the safe that a screen may look at. */
export type Part = 'state' | 'session' | 'rows' | 'log' | 'outcomes' | 'drafts' | 'media' | 'files'

/** Which parts a change touches; a form that keeps its draft must not make the day be listed anew. */
export function partsOf({ state, session, log, prune, ...rest }: Change): Part[] {
  const whole = { state, session, log } as const
  return [
    ...(Object.keys(whole) as (keyof typeof whole)[]).filter((part) => whole[part] !== undefined),
    ...(Object.keys(rest) as (keyof typeof rest)[]).filter((part) => says(rest[part])),
    ...(prune?.length ? (['log', 'outcomes'] as const) : []),
  ]
}

/** Tell whether there is anything in it, at any depth. */
export function says(value: unknown): boolean {
  if (value instanceof Map) return value.size > 0
  if (Array.isArray(value)) return value.length > 0
  return typeof value === 'object' && value !== null ? Object.values(value).some(says) : value === true
}
