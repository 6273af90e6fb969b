import { join, text, type Bytes } from '../core/bytes'
import type { Problem } from '../core/wire'

export interface Answer {
  status: number
  body: unknown
}

export type Send = (path: string, body: unknown, token: string | null) => Promise<Answer>

/** The line is down, slow beyond patience, or what came back was not the server's. */
export class LineDown extends Error {}

/** Take a line that is down for no answer; whatever else was thrown is a fault. */
export function downOnly(error: unknown): null {
  if (error instanceof LineDown) return null
  throw error
}

/** Without a byte for this long the line counts as dead; a slow line that moves is left alone. */
export const PATIENCE_MS = 45_000
/** What is shorter fits into one packet as it is. */
const WORTH_PACKING = 1_200

const language = (): string => globalThis.document?.documentElement.lang || 'zh-Hans'

/** Let a request run; it is given up once nothing has moved for too long, whatever it takes in total. */
export async function patiently<T>(run: (signal: AbortSignal, moved: () => void) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const begin = () => setTimeout(() => controller.abort(), PATIENCE_MS)
  let timer = begin()
  const moved = () => {
    clearTimeout(timer)
    timer = begin()
  }
  return run(controller.signal, moved).finally(() => clearTimeout(timer))
}

/** Read a body to its end. */
export async function bodyOf(response: Response, moved: () => void): Promise<Bytes> {
  const reader = response.body?.getReader()
  const received: Bytes[] = []
  while (reader) {
    const { done, value } = await reader.read()
    moved()
    if (done) break
    received.push(value)
  }
  return join(...received)
}

/** POST JSON and read JSON. Raises LineDown for everything that is no complete answer. */
export const send: Send = (path, body, token) =>
  patiently(async (signal, moved) => {
    const { packed, encoding } = await pack(JSON.stringify(body))
    const response = await fetch(path, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        ...encoding,
        // What the server has to say about a record is read on this screen.
        'Accept-Language': language(),
        ...(token && { Authorization: `Bearer ${token}` }),
      },
      body: packed,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal,
    })
    return { status: response.status, body: JSON.parse(text(await bodyOf(response, moved))) as unknown }
  }).catch(() => {
    throw new LineDown()
  })

/** Records shrink to a fifth: seconds on a line of 64 kbit/s. A browser without gzip sends them as they are. */
async function pack(json: string): Promise<{ packed: BodyInit; encoding: Record<string, string> }> {
  if (json.length < WORTH_PACKING || !globalThis.CompressionStream) return { packed: json, encoding: {} }
  const stream = new Blob([json]).stream().pipeThrough(new CompressionStream('gzip'))
  return { packed: await new Response(stream).arrayBuffer(), encoding: { 'Content-Encoding': 'gzip' } }
}

/** The slug of an RFC 9457 problem, or the empty text. */
export function problemSlug(body: unknown): string {
  const type = (body as Problem | null)?.type
  return typeof type === 'string' ? type.slice(type.lastIndexOf('/') + 1) : ''
}
