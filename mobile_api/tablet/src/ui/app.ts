/** The running app: what phase it is in, the opened safe, and the loop that talks. */
import { computed, nextTick, shallowReactive, shallowRef } from 'vue'
import { deviceClock } from '../core/clock'
import type { SignedReceipt } from '../core/receipts'
import type { CalendarRow, Me } from '../core/wire'
import type { Standard } from '../core/grading/standard'
import { disputes, isOpen, isToHandle, nameIn } from '../book/disputes'
import { begunNomination } from '../book/nomination'
import { putRight } from '../book/ready'
import {
  cases,
  certificates,
  colleagues,
  left,
  nominations,
  reports,
  rowAt,
  townships,
  visits,
  type VisitView,
} from '../book/views'
import { APP, isOlder } from '../book/version'
import { TabletDatabase, type VaultRecord } from '../store/database'
import type { LogEntry } from '../store/records'
import type { Part } from '../store/change'
import { LetGo, Safe } from '../store/safe'
import type { EnrolProblem } from '../sync/enrolment'
import type { HandInEnd, HandInReason } from '../sync/handin'
import type { SyncLoop } from '../sync/loop'
import type { ShareProblem } from '../sync/lease'
import type { Send } from '../sync/transport'
import { unwrapWithPasskey } from '../vault/passkey'
import { anyFormOpen, flushDrafts, settleBeforeDeciding, settleForms, whenAllClosed } from './openForms'

export type Phase = 'starting' | 'broken' | 'elsewhere' | 'enrol' | 'locked' | 'open' | 'handed in'

export const app = shallowReactive({
  phase: 'starting' as Phase,
  vault: null as VaultRecord | null,
  line: 'idle' as SyncLoop['line'],
  uploading: null as SyncLoop['uploading'],
  online: navigator.onLine,
  now: deviceClock.wall(),
  /** parts of a hand-in that arrived, and its receipt once all did */
  handIn: null as { done: number; of: number } | null,
  receipt: '',
})

/** Long enough that a run of pulled pages is laid together once. */
const PACK_AFTER_MS = 3_000

/** What talks is not needed to see the day: it comes after the lock screen. */
export const speaking = () => import('./line')

const db = new TabletDatabase()
const opened = shallowRef<Safe | null>(null)
let loop: SyncLoop | null = null
let packing: ReturnType<typeof setTimeout>
let lastTouch = { mono: 0, wall: 0 }

/** The opened safe; only screens behind the lock may ask. */
export function safe(): Safe {
  if (!opened.value) throw new Error('the tablet is locked')
  return opened.value
}

/** This device's clock; one that was set back since the last word with the server, as by an empty battery, is not believed. */
const wall = (): number => Math.max(deviceClock.wall(), opened.value?.state.syncedAt ?? 0)
/** The server's time as far as this tablet knows it; it labels, it orders nothing. */
export const now = (): number => wall() + (opened.value?.state.offsetMs ?? 0)

const PARTS = ['state', 'session', 'rows', 'log', 'outcomes', 'drafts', 'media', 'files'] as const
const changes = shallowReactive(Object.fromEntries(PARTS.map((part) => [part, 0])) as Record<Part, number>)
/** Views are worked out anew only when a part that they name has changed: a form saves while one types. */
const read = <T>(parts: readonly Part[], view: (source: Safe) => T, none: T) =>
  computed(() => {
    const source = opened.value
    for (const part of parts) void changes[part]
    return source ? view(source) : none
  })
/** How far the log is told, and whether that is proven; the rest of the state changes with every exchange. */
const told = computed(() => {
  const state = opened.value?.state
  return void changes.state, state ? `${state.ackedSeq}/${state.settledSeq}/${state.doubt !== null}` : ''
})
const overlaid = <T>(view: (source: Safe) => T, none: T) => {
  const seen = read(['rows', 'log', 'outcomes', 'media'], () => ({}), {})
  return computed(() => {
    void seen.value
    void told.value
    return opened.value ? view(opened.value) : none
  })
}
const listed = overlaid(visits, [])
const disputed = overlaid(disputes, [])
export const book = {
  me: read<Me | null>(['rows', 'session'], (source) => rowAt<Me>(source, 'me') ?? source.session?.user ?? null, null),
  visits: listed,
  left: read(['drafts', 'rows'], (source) => left(source.drafts, listed.value), []),
  cases: overlaid(cases, []),
  certificates: overlaid(certificates, []),
  colleagues: read(['rows'], colleagues, []),
  nominations: overlaid(nominations, []),
  nomination: read(['drafts', 'media'], begunNomination, null),
  townships: read(['rows'], townships, []),
  disputes: disputed,
  toHandle: computed(() => disputed.value.filter(isToHandle).length),
  parked: computed(() => disputed.value.filter((one) => isOpen(one) && !isToHandle(one)).length),
  reports: overlaid(reports, []),
  signed: read(['outcomes'], (source) => new Map(Array.from(source.outcomes.values(), ({ seq, receipt }) => [seq, receipt])), new Map<number, SignedReceipt | undefined>()),
  state: read(['state'], (source) => source.state, null),
  isOld: read(['state'], ({ state }) => isOlder(APP, state.policy.min_app ?? APP), false),
  outbox: read(
    ['log', 'state'],
    (source) => [...source.log.keys()].filter((seq) => seq > source.state.ackedSeq).length,
    null as number | null,
  ),
  mediaWaiting: read(['media'], (source) => [...source.media.values()].filter(({ state }) => state === 'declared').length, 0),
  toRetake: computed(() => disputed.value.filter((one) => one.outcome === 'rejected' && isOpen(one))),
  drafts: read(['drafts'], (source) => new Map(source.drafts), new Map<string, unknown>()),
  media: read(['media'], (source) => [...source.media.values()], []),
  files: read(['files'], (source) => new Set(source.files), new Set<string>()),
  damaged: read(['rows', 'log', 'drafts', 'media'], (source) => source.damaged.length, 0),
}

/** A visit of the rows, or one begun here that has left them. */
export const visitOf = (id: string): VisitView | null =>
  [...book.visits.value, ...book.left.value].find((visit) => visit.id === id) ?? null

/** Whether something that was written about a visit here is not said yet. */
export const isUnfinished = ({ id, state }: VisitView): boolean =>
  book.drafts.value.has(`evaluation/${id}`) ||
  book.drafts.value.has(`contact/${id}`) ||
  (state === 'scheduled' && book.drafts.value.has(`not-done/${id}`))

/** Whom a record of this tablet is about: by the case as it stands here, else by the record's own words. */
export function personIn(entry: LogEntry): string {
  const { visit, application, certificate } = entry.args as { visit?: string; application?: string; certificate?: string }
  const known =
    visitOf(visit ?? '') ??
    book.visits.value.find((item) => item.application === application) ??
    book.cases.value.find(({ id }) => id === application)
  const paper = book.certificates.value.find(({ id }) => id === certificate)
  return known?.resident.name ?? paper?.resident_name ?? nameIn(entry)
}

export const standardOf = (edition: string): Standard | null => {
  const source = opened.value
  void changes.rows
  if (!source) return null
  const exact = rowAt<Standard>(source, `standard/${edition}`)
  if (exact || edition) return exact
  const first = [...source.rows.keys()].find((key) => key.startsWith('standard/'))
  return first ? rowAt<Standard>(source, first) : null
}

export const calendarOf = (year: string): CalendarRow | null => {
  void changes.rows
  return opened.value ? rowAt<CalendarRow>(opened.value, `calendar/${year}`) : null
}

/** Begin: one tab holds the tablet; another says so and can take over. */
export async function start(): Promise<void> {
  window.addEventListener('online', () => setOnline(true))
  window.addEventListener('offline', () => setOnline(false))
  document.addEventListener('visibilitychange', onVisibility)
  window.addEventListener('pagehide', () => void flushDrafts())
  settleBeforeDeciding()
  whenAllClosed(closeBehindLock)
  for (const event of ['pointerdown', 'keydown']) window.addEventListener(event, touched, { passive: true })
  setInterval(tick, 15_000)
  await hold(false)
}

export const takeOver = (): Promise<void> => hold(true)

/** A page that is just going, or was opened ahead of time and thrown away, holds on for a moment. */
const LETTING_GO_MS = 1_500
let queued = new AbortController()

/** Hold the tablet; while another window does, say so, and go on here when that one is closed. */
async function hold(steal: boolean): Promise<void> {
  if (!('locks' in navigator)) return begin()
  queued.abort()
  queued = new AbortController()
  const { signal } = queued
  await new Promise<void>((ready) => {
    const patience = setTimeout(() => {
      app.phase = 'elsewhere'
      ready()
    }, LETTING_GO_MS)
    navigator.locks
      .request('outreach-tablet', steal ? { steal } : { signal }, async () => {
        clearTimeout(patience)
        await begin()
        ready()
        await new Promise(() => undefined) // held until this page goes, or another steals it
      })
      .catch(() => signal.aborted || void giveUp())
  })
}

/** How often another window took over: what was begun here before goes on there, or not at all. */
let takenOver = 0

/** Another window has taken over: what is on the screen here goes to the disk first. */
async function giveUp(): Promise<void> {
  takenOver += 1
  const mine = opened.value
  await flushDrafts()
  app.phase = 'elsewhere'
  await nextTick() // the forms go, each with its last keys
  // An answer or an upload that is still on its way would write under the hands of the other.
  await mine?.letGo()
  close()
  await hold(false)
}

async function begin(): Promise<void> {
  try {
    await endLease()
    app.phase = app.vault ? 'locked' : 'enrol'
  } catch {
    // The browser does not open its storage: nothing is begun anew over what lies there.
    app.phase = 'broken'
  }
}

/** Enrol: the keys are made and kept first, so that a lost answer can be asked for again. */
export async function enrol(code: string, label: string, pin: string): Promise<EnrolProblem | null> {
  // The keys may be here from a try before: what counts is the PIN that was typed last.
  await opened.value?.setPin(pin)
  const mine = opened.value ?? (app.vault ? await Safe.unlock(db, pin) : await Safe.create(db, pin, deviceClock.wall()))
  opened.value = mine
  app.vault = (await db.vault()) ?? null
  const { enrolWith, send } = await speaking()
  const problem = await enrolWith(mine, send, deviceClock, { code, label })
  if (problem) return problem
  void navigator.storage?.persist?.()
  enter(mine)
  return null
}

/** Go on with a new code after the token has expired: same key, same log; what waits is sent at once. */
export async function renew(code: string): Promise<EnrolProblem | null> {
  const mine = safe()
  const { enrolWith, send } = await speaking()
  const problem = await enrolWith(mine, send, deviceClock, { code, label: mine.session?.label ?? '' })
  if (!problem) void sync()
  return problem
}

/** Open with the PIN. Raises WrongPin, and LeaseEnded. */
export async function unlock(pin: string): Promise<void> {
  // Where the keys are still here, for what is on its way, a wrong PIN is counted all the same.
  if (opened.value) await Safe.keyBehind(db, pin).finally(lookAtVault)
  await goOn(() => Safe.unlock(db, pin))
}

/** Go on with the keys that are here; what was on its way may have ended meanwhile, and they went with it. */
async function goOn(opening: () => Promise<Safe>): Promise<void> {
  if (!opened.value) return open(opening)
  app.phase = 'open'
  touched()
}

/** Open with the passkey. Raises NotConfirmed, and NoPrf. */
export async function unlockWithPasskey(): Promise<void> {
  if (opened.value && app.vault?.passkey) await unwrapWithPasskey(app.vault.passkey)
  await goOn(() => Safe.unlockWithPasskey(db))
}

/** Ask the server for its part of the key, which the tablet forgot with the end of its lease. */
export async function renewLease(): Promise<ShareProblem | null> {
  const { askShare, send } = await speaking()
  const problem = await askShare(db, send, deviceClock)
  await lookAtVault()
  return problem
}

async function open(opening: () => Promise<Safe>): Promise<void> {
  try {
    await leaving
    const mine = await opening()
    if (mine.session) enter(mine)
    else {
      opened.value = mine
      app.phase = 'enrol'
    }
  } finally {
    await lookAtVault()
  }
}

/** Forget the server's part where its time is over; a full disk keeps it, and nobody out of the tablet. */
const endLease = (): Promise<void> => db.endLease(deviceClock.wall()).catch(() => undefined).then(lookAtVault)

/** Read anew what lies in clear: the keys may have been wrapped to the federation meanwhile. */
export async function lookAtVault(): Promise<void> {
  app.vault = (await db.vault()) ?? null
  // Somebody cleared the browser's data: no PIN is wrong, there is nothing left that it opens.
  if (!app.vault && app.phase === 'locked') {
    close()
    app.phase = 'enrol'
  }
}

/** Lock the screen. What is on its way, or not on the disk yet, may finish; then the keys are let go too. */
export async function lock(): Promise<void> {
  if (app.phase !== 'open') return
  await flushDrafts()
  app.phase = 'locked' // before anything that a full disk may refuse
  await endLease().catch(() => undefined)
  await nextTick() // the forms go, each with its last keys
  closeBehindLock()
}

function closeBehindLock(): void {
  if (app.phase === 'locked' && app.line !== 'talking' && !handing && !anyFormOpen()) close()
}

/**
 * Hand in what only this tablet has, sealed to the federation, and then forget everything.
 *
 * A locked tablet hands in its records as they lie. Nothing is deleted before the last part was taken.
 */
export function handInNow(): Promise<HandInEnd> {
  // One at a time, also over a lock: what is recorded meanwhile is in the same safe, and goes along.
  handing ??= handInAll().finally(() => {
    handing = null
    closeBehindLock()
  })
  return handing
}
let handing: Promise<HandInEnd> | null = null

async function handInAll(): Promise<HandInEnd> {
  const mine = opened.value
  const begunIn = takenOver
  const progress = (done: number, of: number) => void (app.handIn = { done, of })
  loop?.stop()
  const { handIn, handInLocked, send } = await speaking()
  // What the other window records is in no part of this hand-in, and would be erased with the rest.
  const sending: Send = (...what) => (begunIn === takenOver ? send(...what) : Promise.reject(new LetGo()))
  const parts = mine ? handIn(mine, sending, reasonOf(mine), progress) : handInLocked(db, sending, progress)
  const end = await parts.catch((): HandInEnd => ({ end: 'not taken', status: 0 }))
  app.handIn = null
  if (begunIn !== takenOver) return { end: 'not taken', status: 0 }
  if (end.end !== 'done') {
    if (mine) void talk(mine) // it stays in use, and whatever stopped it may be put right at the office
    return end
  }
  app.receipt = end.receipt
  app.phase = 'handed in'
  await mine?.letGo()
  close()
  await db.delete({ disableAutoOpen: false })
  app.vault = null
  return end
}

const reasonOf = ({ state }: Safe): HandInReason =>
  state.halt === null || state.halt === 'sign_in' ? 'unknown' : state.halt

/** Begin anew after a hand-in. */
export const beginAnew = (): void => void (app.phase = 'enrol')

/** Talk to the server now. */
export const sync = (): Promise<void> => loop?.nudge() ?? Promise.resolve()

function enter(mine: Safe): void {
  opened.value = mine
  mine.onChange = (changed) => {
    // Drawn anew with less than was typed, a field would lose its last letters; a form's own saving draws none.
    if (changed.join() !== 'drafts') settleForms()
    for (const part of changed) changes[part] += 1
    if (changed.includes('rows')) packSoon(mine)
  }
  packSoon(mine)
  mine.onLost = () => {
    if (opened.value !== mine) return
    close()
    app.phase = 'elsewhere'
  }
  app.phase = 'open'
  touched()
  tick()
  void talk(mine)
}

async function talk(mine: Safe): Promise<void> {
  const { lineOf } = await speaking()
  if (opened.value !== mine) return
  const talking = lineOf(mine)
  talking.onChange = () => {
    Object.assign(app, { line: talking.line, uploading: talking.uploading })
    if (talking.line === 'idle') void lookAtVault()
    closeBehindLock()
  }
  loop = talking
  await sync()
}

/** The pack is for the next start: it waits until the tablet has nothing else to do. */
function packSoon(mine: Safe): void {
  clearTimeout(packing)
  packing = setTimeout(() => void mine.pack().catch(() => undefined), PACK_AFTER_MS)
}

/** What was asked for before a close is on the disk before the next opening reads it; what comes later writes nothing. */
let leaving: Promise<void> | undefined

function close(): void {
  loop?.stop()
  loop = null
  leaving = opened.value?.letGo().catch(() => undefined) ?? leaving
  opened.value = null
}

function touched(): void {
  lastTouch = { mono: deviceClock.mono(), wall: deviceClock.wall() }
}

function tick(): void {
  heedClock()
  app.now = wall()
  const after = (opened.value?.state.policy.lock_after_s ?? 300) * 1000
  if (app.phase === 'open' && untouched() > after) void lock()
  // A tablet may sleep for weeks behind its lock.
  if (app.phase === 'locked') void endLease().catch(() => undefined)
}

/** A clock that was put right goes on from there; it would stand still until the next word with the server. */
function heedClock(): void {
  const mine = opened.value
  const right = () => mine && putRight(mine.state, deviceClock.wall())
  // In its turn: an answer that is just being written knows better.
  if (right()) void mine?.change(() => ({ state: right() ?? {} })).catch(() => undefined)
}

/** One clock stands still while the tablet sleeps, the other may be set back: the longer of the two counts. */
const untouched = (): number => Math.max(deviceClock.mono() - lastTouch.mono, deviceClock.wall() - lastTouch.wall)

function setOnline(online: boolean): void {
  app.online = online
  if (online) loop?.comeBack()
}

function onVisibility(): void {
  if (document.visibilityState === 'hidden') void flushDrafts()
  else {
    tick()
    loop?.comeBack(0)
  }
}
