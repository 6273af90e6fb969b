/** Handing in: what only this tablet holds goes, sealed, to the federation; then the tablet forgets. */
import { base64, sha256Hex, utf8 } from '../core/bytes'
import { newId } from '../core/ids'
import { canonical, plain as json, type Json } from '../core/jcs'
import type { StateRecord, TabletDatabase, VaultRecord } from '../store/database'
import type { Damage, Safe } from '../store/safe'
import { sealToFederation } from '../vault/wraps'
import { downOnly, problemSlug, type Answer, type Send } from './transport'

export type HandInReason = 'revoked' | 'fork' | 'gap' | 'damaged' | 'unknown' | 'locked'
export type HandInEnd = { end: 'done'; receipt: string } | { end: 'line down' } | { end: 'not taken'; status: number }
export type OnProgress = (done: number, of: number) => void

interface Part {
  kind: 'log' | 'drafts' | 'media' | 'store' | 'end'
  /** read only when it is sent: photos are large */
  plain: () => Promise<Json>
}
type Sign = (bytes: ReturnType<typeof utf8>) => Promise<string>

/** No part is larger than this before it is sealed; the server takes 4 MiB a request. */
const PART_BYTES = 500_000
/** The stores of a locked tablet whose records nobody else has. */
const STORES = ['meta', 'log', 'outcomes', 'drafts', 'media'] as const

/** Hand in an opened tablet: outbox and sent box, drafts, and every picture not yet safe. */
export async function handIn(safe: Safe, send: Send, reason: HandInReason, onProgress: OnProgress): Promise<HandInEnd> {
  const sign: Sign = (bytes) => safe.signer.sign(bytes)
  return untilStill(() => heldBy(safe), (what) => deliver(safe.db, partsOf(safe), send, { reason, what, sign }, onProgress))
}

function partsOf(safe: Safe): Part[] {
  const entries = [...safe.log.values()].sort((a, b) => a.seq - b.seq)
  const media = notYetSafe(safe)
  const damaged = onlyHere(safe)
  const drafts = Object.fromEntries(safe.drafts)
  return [
    ...slices(entries).map((piece) => part('log', { entries: piece })),
    part('drafts', { drafts }),
    ...media.map((meta): Part => ({
      kind: 'media',
      plain: async () => {
        const bytes = await safe.bytesOf('media', meta.sha256).catch(() => undefined)
        if (bytes !== undefined) return json({ meta, body: bytes && base64(bytes) })
        return json({ meta, body: null, ...(await asItLies(safe, { store: 'media', k: meta.sha256 })) })
      },
    })),
    ...damaged.map((one): Part => ({ kind: 'store', plain: async () => json(await asItLies(safe, one)) })),
    part('end', {
      receipt: safe.state.receipt,
      entries: entries.length,
      media: media.length,
      drafts: safe.drafts.size,
      damaged: damaged.length,
    }),
  ]
}

/** What does not open here and nobody else has: the rows are the office's own. */
const onlyHere = ({ damaged, media }: Safe): Damage[] =>
  damaged
    .filter(({ store, k }) => store !== 'rows' && !(store === 'media' && media.has(String(k))))
    .sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
const placeOf = ({ store, k }: Damage) => `${store}/${k}`

/** A record that does not open, with the key that only the federation unwraps: somebody may still read it there. */
async function asItLies({ db }: Safe, { store, k }: Damage): Promise<object> {
  const record = (await db.table(store).get(k)) as object | undefined
  return { store, data_key: (await db.vault())?.federation ?? null, records: record ? [spelled(record)] : [] }
}

const notYetSafe = ({ media }: Safe) => [...media.values()].filter(({ state }) => state !== 'safe')

/** The digest of all that shifts the parts: what was recorded, and what the sent box no longer keeps. */
async function heldBy(safe: Safe): Promise<string> {
  const media = notYetSafe(safe).map(({ sha256 }) => sha256)
  const said = [...safe.log.keys()].sort((a, b) => a - b)
  const damaged = onlyHere(safe).map(placeOf)
  const held = { said, drafts: Object.fromEntries(safe.drafts), media: media.sort(), damaged }
  return sha256Hex(canonical(json(held)))
}

/** Hand in a tablet that nobody here can open: its records as they lie, and the key only the federation unwraps. */
export async function handInLocked(db: TabletDatabase, send: Send, onProgress: OnProgress): Promise<HandInEnd> {
  const sign: Sign = () => Promise.resolve('')
  return untilStill(
    // Somebody may remember the PIN after a cut, go on, and forget it again.
    async () => `locked ${((await db.meta.get('state')) as StateRecord | undefined)?.rev}`,
    async (what) => deliver(db, await lockedParts(db), send, { reason: 'locked', what, sign }, onProgress),
  )
}

async function lockedParts(db: TabletDatabase): Promise<Part[]> {
  const vault = await db.vault()
  const parts: Part[] = [part('store', { store: 'vault', data_key: vault?.federation ?? null, records: [] })]
  let count = 0
  for (const store of STORES) {
    for (const k of await db.table(store).toCollection().primaryKeys()) {
      if (k === 'vault' || k === 'pack') continue
      count += 1
      const plain = async () => json({ store, records: [spelled((await db.table(store).get(k)) as object)] })
      parts.push({ kind: 'store', plain })
    }
  }
  return [...parts, part('end', { entries: count, media: 0, drafts: 0 })]
}

/** Hand in until nothing was written meanwhile: the tablet forgets afterwards, also what nobody has. */
async function untilStill(held: () => Promise<string>, hand: (what: string) => Promise<HandInEnd>): Promise<HandInEnd> {
  for (;;) {
    const what = await held()
    const end = await hand(what)
    if (end.end !== 'done' || what === (await held())) return end
  }
}

async function deliver(
  db: TabletDatabase,
  parts: Part[],
  send: Send,
  { reason, what, sign }: { reason: HandInReason; what: string; sign: Sign },
  onProgress: OnProgress,
  mayBeginAnew = true,
): Promise<HandInEnd> {
  const vault = await db.vault()
  if (!vault?.federation) return { end: 'not taken', status: 0 }
  // What was recorded after a cut shifts the parts: the office keeps both hand-ins, and the last one is whole.
  const begun = vault.handIn?.what === what ? vault.handIn : { id: newId(Date.now()), done: 0 }
  const { id } = begun
  let receipt = ''
  for (let n = begun.done; n < parts.length; n += 1) {
    onProgress(n, parts.length)
    const body = await sealedPart(vault, parts, n, id, reason, sign)
    const answer = await send('/api/v1/hand-in', body, null).catch(downOnly)
    if (!answer) return { end: 'line down' }
    if (mayBeginAnew && problemSlug(answer.body) === 'hand-in-anew') {
      // Decided while it was cut off, or a restore took what had arrived: the rest would never be heard.
      await db.amendVault({ handIn: { id: newId(Date.now()), what, done: 0 } })
      return deliver(db, parts, send, { reason, what, sign }, onProgress, false)
    }
    if (answer.status !== 200 && answer.status !== 201) return { end: 'not taken', status: answer.status }
    const given = receiptFor(n, answer)
    if (!given) return { end: 'line down' }
    receipt = given
    // A full disk takes no note; after a cut the hand-in begins anew then, which is better than never.
    await db.amendVault({ handIn: { id, what, done: Math.min(n + 1, parts.length - 1) } }).catch(() => undefined)
  }
  onProgress(parts.length, parts.length)
  return { end: 'done', receipt }
}

/** The office's receipt for part `n`. Whatever else answers 200 on the way has taken nothing, and the tablet would forget. */
function receiptFor(n: number, { body }: Answer): string | null {
  const { receipt, n: taken } = (body ?? {}) as { receipt?: unknown; n?: unknown }
  return typeof receipt === 'string' && receipt !== '' && taken === n ? receipt : null
}

async function sealedPart(
  vault: VaultRecord,
  parts: Part[],
  n: number,
  id: string,
  reason: HandInReason,
  sign: Sign,
): Promise<Json> {
  const { kind, plain } = parts[n] as Part
  const sealed = await sealToFederation(utf8(JSON.stringify(await plain())), vault.federation?.recipient ?? '')
  const at = new Date().toISOString()
  const said = json({ hand_in: id, replica: vault.replica, reason, n, of: parts.length, kind, sealed, at })
  return { ...(said as Record<string, Json>), sig: await sign(utf8(canonical(said))) }
}

const part = (kind: Part['kind'], value: object): Part => ({ kind, plain: () => Promise.resolve(json(value)) })

/** A stored record with its bytes as base64. */
function spelled(record: object): Json {
  const pairs = Object.entries(record).map(([name, value]: [string, unknown]) => [
    name,
    value instanceof Uint8Array ? base64(new Uint8Array(value)) : value,
  ])
  return json(Object.fromEntries(pairs))
}

function slices<T>(items: T[]): T[][] {
  const found: T[][] = []
  let room = 0
  for (const item of items) {
    const size = JSON.stringify(item).length
    if (size > room || !found.length) {
      found.push([])
      room = PART_BYTES
    }
    found.at(-1)?.push(item)
    room -= size
  }
  return found
}
