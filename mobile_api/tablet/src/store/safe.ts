import { CHAIN_START, canonicalBytes, chainAfter } from '../core/chain'
import { newId } from '../core/ids'
import { randomBytes, type Bytes } from '../core/bytes'
import { canonical, plain, type Json } from '../core/jcs'
import { VERSIONS, type MutationArgs, type MutationName } from '../core/wire'
import { CannotOpen, Sealer } from '../vault/sealing'
import { newDeviceKey, Signer } from '../vault/signing'
import { NotConfirmed, unwrapWithPasskey, wrapWithPasskey } from '../vault/passkey'
import { pinWrapOf, sealToFederation, sealUnderShare, unwrapWithPin, WrongPin, wrapWithPin } from '../vault/wraps'
import { partsOf, says, type Change, type Part } from './change'
import {
  TabletDatabase,
  type Lease,
  type MediaRecord,
  type Sealed,
  type SealedSeq,
  type StateRecord,
  type VaultRecord,
} from './database'
import {
  FRESH,
  type LogEntry,
  type Media,
  type PulledRow,
  type Session,
  type StoredOutcome,
  type SyncState,
} from './records'
import { readAll, type Pack, type Stored } from './reading'

/** Wrong PINs after which only the federation's key opens the tablet. */
export const PIN_TRIES = 10

/** Wrong PINs that a full disk took no note of: the browser has room of another kind for a number. */
const UNNOTED = 'outreach-wrong-pins'
const unnoted = (): number => Number(globalThis.localStorage?.getItem(UNNOTED) ?? 0)
const noteElsewhere = (count: number): void =>
  count ? globalThis.localStorage?.setItem(UNNOTED, String(count)) : globalThis.localStorage?.removeItem(UNNOTED)

/** Wrong PINs since the last right one. */
export const wrongPins = ({ failed }: VaultRecord): number => failed + unnoted()

/** Whether the PIN opens nothing here any more; the work does not need it where the federation has a key. */
export const isShut = (vault: VaultRecord): boolean =>
  vault.pin === null || (vault.federation !== null && wrongPins(vault) >= PIN_TRIES)

export class AnotherTab extends Error {}
export class NotSaved extends Error {}
/** Another window, or nobody, holds the tablet now. */
export class LetGo extends Error {}

/** The disk is full. Dexie wraps the browser's QuotaExceededError in an AbortError, or names it itself. */
export function isFull(error: unknown): boolean {
  const { name, inner } = error as { name?: string; inner?: unknown }
  return name === 'QuotaExceededError' || (inner !== undefined && inner !== null && isFull(inner))
}

/** A record that is on the disk and does not open; it is left there as it is. */
export interface Damage {
  store: 'rows' | 'log' | 'outcomes' | 'drafts' | 'media'
  k: string | number
}

/** What is said, and what changes in the same step. */
export interface Saying<N extends MutationName> {
  args: MutationArgs[N]
  beside: Change
}

/** The opened tablet: everything in memory, every change sealed and on the disk before it counts. */
export class Safe {
  state: SyncState = FRESH
  session: Session | null = null
  readonly rows = new Map<string, PulledRow>()
  readonly log = new Map<number, LogEntry>()
  readonly outcomes = new Map<number, StoredOutcome>()
  readonly drafts = new Map<string, unknown>()
  readonly media = new Map<string, Media>()
  readonly files = new Set<string>()
  damaged: readonly Damage[] = []
  onChange: (changed: readonly Part[]) => void = () => undefined
  /** called when another window has written since: this one must not go on */
  onLost: () => void = () => undefined

  private rev = 0
  private over = false
  private packed: number | null = null
  private queue: Promise<unknown> = Promise.resolve()

  private constructor(
    readonly db: TabletDatabase,
    readonly replica: string,
    readonly publicKey: string,
    private readonly sealer: Sealer,
    readonly signer: Signer,
    private readonly dataKey: Bytes,
  ) {}

  /** Make the keys of this tablet and keep them under the PIN. Nothing has been said to a server yet. */
  static async create(db: TabletDatabase, pin: string, at: number, rounds?: number): Promise<Safe> {
    const dataKey = randomBytes(32)
    const sealer = await Sealer.of(dataKey)
    const device = await newDeviceKey()
    const vault: VaultRecord = {
      k: 'vault',
      replica: newId(at),
      publicKey: device.publicKey,
      pin: await wrapWithPin(dataKey, pin, rounds),
      federation: null,
      failed: 0,
    }
    noteElsewhere(0)
    const key: Sealed = { k: 'device_key', body: await sealer.seal('meta', 'device_key', device.privateKey) }
    const state: StateRecord = { k: 'state', rev: 0, body: await sealer.sealJson('meta', 'state', FRESH) }
    await db.transaction('rw', db.meta, async () => {
      await db.meta.add(vault)
      await db.meta.bulkAdd([key, state])
    })
    return Safe.open(db, vault, dataKey)
  }

  /** Open with the PIN. Raises WrongPin, and LeaseEnded; counts the failures. */
  static async unlock(db: TabletDatabase, pin: string): Promise<Safe> {
    const vault = await db.vault()
    if (!vault) throw new WrongPin()
    // The disk is read while the key is worked out of the PIN: both take their time.
    const [dataKey, stored] = await Promise.all([Safe.keyBehind(db, pin), readAll(db)])
    return Safe.open(db, vault, dataKey, stored)
  }

  /** Take the data key out of the PIN's wrap. Raises WrongPin, and LeaseEnded; counts the failures. */
  static async keyBehind(db: TabletDatabase, pin: string): Promise<Bytes> {
    const vault = await db.vault()
    if (!vault?.pin || isShut(vault)) throw new WrongPin()
    try {
      const dataKey = await unwrapWithPin(await pinWrapOf(vault.pin, vault.lease?.share), pin)
      noteElsewhere(0)
      // A full disk takes no note; it does not keep the right PIN out.
      if (vault.failed > 0) await db.amendVault({ failed: 0 }).catch(() => undefined)
      return dataKey
    } catch (error) {
      if (error instanceof WrongPin) await noteWrongPin(db, vault)
      throw error
    }
  }

  /** Open with the passkey. Raises NotConfirmed, and NoPrf. */
  static async unlockWithPasskey(db: TabletDatabase): Promise<Safe> {
    const vault = await db.vault()
    if (!vault?.passkey) throw new NotConfirmed()
    const [dataKey, stored] = await Promise.all([unwrapWithPasskey(vault.passkey), readAll(db)])
    return Safe.open(db, vault, dataKey, stored)
  }

  private static async open(db: TabletDatabase, vault: VaultRecord, dataKey: Bytes, stored?: Stored): Promise<Safe> {
    const sealer = await Sealer.of(dataKey)
    const all = stored ?? (await readAll(db))
    const signer = await Signer.of(await sealer.open('meta', 'device_key', all.deviceKey.body))
    const safe = new Safe(db, vault.replica, vault.publicKey, sealer, signer, dataKey)
    await safe.load(all)
    return safe
  }

  private async load({ state, session, pack, log, outcomes, drafts, media, files }: Stored): Promise<void> {
    const { sealer } = this
    this.rev = state.rev
    this.state = { ...FRESH, ...(await sealer.openJson<SyncState>('meta', 'state', state.body)) }
    if (session) this.session = await sealer.openJson<Session>('meta', 'session', session.body)
    const bySeq = ({ seq, body }: SealedSeq): [number, Uint8Array] => [seq, body]
    const byKey = ({ k, body }: Sealed): [string, Uint8Array] => [k, body]
    await Promise.all([
      this.fillRows(pack),
      this.fill('log', log.map(bySeq), this.log),
      this.fill('outcomes', outcomes.map(bySeq), this.outcomes),
      this.fill('drafts', drafts.map(byKey), this.drafts),
      this.fill('media', media, this.media),
    ])
    for (const k of files) this.files.add(k)
    // What the server has anyway is asked for again; what only this tablet has stays as it is.
    if (this.damaged.some(({ store }) => store === 'rows')) {
      this.state = { ...this.state, view: null, digest: null, complete: false }
    }
    this.state = { ...this.state, ...unheard(this.state, this.log, this.outcomes) }
  }

  /** Take all rows from the pack when it was made of them as they are; else one by one. */
  private async fillRows(pack: Sealed | undefined): Promise<void> {
    const packed = pack && (await this.sealer.openJson<Pack>('meta', 'pack', pack.body).catch(() => null))
    if (packed && packed.of === this.state.rowsRev) {
      for (const [k, row] of packed.rows) this.rows.set(k, row)
      this.packed = packed.of
      return
    }
    const rows = await this.db.rows.toArray()
    await this.fill('rows', rows.map(({ k, body }) => [k, body]), this.rows)
  }

  /** Lay all rows into one sealed record, so that the next start opens one and not hundreds. */
  async pack(): Promise<void> {
    return this.inTurn(async () => {
      const { rowsRev } = this.state
      if (this.packed === rowsRev || this.damaged.length > 0) return
      const pack: Pack = { of: rowsRev, rows: [...this.rows] }
      const body = await this.sealer.sealJson('meta', 'pack', pack)
      await this.db.meta.put({ k: 'pack', body })
      this.packed = rowsRev
    })
  }

  /** Open what opens; one record that does not must not shut the others in. */
  private async fill<K extends string | number, V>(
    store: Damage['store'],
    sealed: [K, Uint8Array][],
    into: Map<K, V>,
  ): Promise<void> {
    // All at once: one after the other, five hundred records wait for each other's turn.
    const opening = sealed.map(async ([k, body]) => {
      const value = await this.sealer.openJson<V>(store, k, body).catch((error: unknown) => {
        if (!(error instanceof CannotOpen)) throw error
        return error
      })
      return [k, value] as const
    })
    for (const [k, value] of await Promise.all(opening)) {
      if (value instanceof CannotOpen) this.damaged = [...this.damaged, { store, k }]
      else into.set(k, value)
    }
  }

  /** Say something: it is signed, chained, on the disk and read back before this returns. */
  async say<N extends MutationName>(name: N, args: MutationArgs[N], at: number, beside: Change = {}): Promise<LogEntry> {
    return this.sayInTurn(name, at, () => ({ args, beside }))
  }

  /** Say what is put together only in its turn, of all that is on the disk by then. */
  async sayInTurn<N extends MutationName>(name: N, at: number, make: () => Saying<N>): Promise<LogEntry> {
    return this.inTurn(async () => {
      const { args, beside } = make()
      const { lastSeq, chain } = this.state
      const statement = {
        seq: lastSeq + 1,
        id: newId(at),
        name,
        v: VERSIONS[name],
        at: new Date(at).toISOString(),
        args: plain(args),
      }
      const bytes = canonicalBytes(statement)
      const entry: LogEntry = {
        ...statement,
        chain: await chainAfter(chain, bytes),
        sig: await this.signer.sign(bytes),
      }
      await this.write({ ...beside, log: entry, state: { lastSeq: entry.seq, chain: entry.chain } })
      await this.readBack(entry)
      return entry
    })
  }

  /** Write one step: sealed first, then a single transaction, then memory. */
  async change(change: Change | (() => Change | Promise<Change>)): Promise<void> {
    return this.inTurn(async () => this.write(typeof change === 'function' ? await change() : change))
  }

  /** Keep a draft: it is on the disk and read back before this returns. Raises NotSaved. */
  async keepDraft(k: string, draft: unknown): Promise<void> {
    return this.inTurn(async () => {
      await this.write({ drafts: { put: new Map([[k, draft]]) } })
      const stored = await this.db.drafts.get(k)
      const read = stored && (await this.sealer.openJson('drafts', k, stored.body))
      if (JSON.stringify(read) !== JSON.stringify(draft)) throw new NotSaved()
    })
  }

  /** The bytes of a photo, signature or certificate kept here; null when they are gone. */
  async bytesOf(store: 'media' | 'files', k: string): Promise<Bytes | null> {
    const record = store === 'media' ? await this.db.media.get(k) : await this.db.files.get(k)
    return record?.body ? this.sealer.open(`${store}_bytes`, k, record.body) : null
  }

  /** Note a record that was found not to open; it stays where it is. */
  note(damage: Damage): null {
    if (!this.isDamaged(damage.store, damage.k)) this.damaged = [...this.damaged, damage]
    this.onChange([damage.store])
    return null
  }

  /** Set the PIN of a tablet that was not enrolled yet. */
  async setPin(pin: string): Promise<void> {
    return this.inTurn(async () => this.db.amendVault({ pin: await wrapWithPin(this.dataKey, pin), failed: 0 }))
  }

  /** Change the PIN: the data key stays, only its wrap is made anew. */
  async rewrap(oldPin: string, newPin: string): Promise<void> {
    // In turn with the lease: each reads the wrap, takes its time, and writes it anew.
    return this.inTurn(async () => {
      const vault = await this.db.vault()
      if (!vault?.pin) throw new WrongPin()
      const old = await pinWrapOf(vault.pin, vault.lease?.share)
      const pin = await wrapWithPin(await unwrapWithPin(old, oldPin), newPin, old.rounds)
      const share = vault.lease?.share
      await this.db.amendVault({ pin: share ? await sealUnderShare(pin, share) : pin, failed: 0 })
    })
  }

  /** Take the server's part of the key: the PIN opens nothing without it from now on. */
  async lend(lease: Lease & { share: string }): Promise<void> {
    return this.inTurn(async () => {
      const vault = await this.db.vault()
      if (!vault?.pin) return
      const { share } = lease
      const pin = await sealUnderShare(await pinWrapOf(vault.pin, vault.lease?.share ?? share), share)
      await this.db.amendVault({ pin, lease })
    })
  }

  /** Wrap the data key by a passkey too, or give it up. Raises NotConfirmed, and NoPrf. */
  async usePasskey(label: string): Promise<void> {
    await this.db.amendVault({ passkey: await wrapWithPasskey(this.dataKey, label) })
  }
  async dropPasskey(): Promise<void> {
    await this.db.amendVault({ passkey: null })
  }

  /** Wrap the data key to the federation too, so that a forgotten PIN or a lost token loses nothing. */
  async trust(federationKey: string | null | undefined): Promise<void> {
    const vault = await this.db.vault()
    if (!vault || !federationKey || vault.federation?.recipient === federationKey) return
    const federation = await sealToFederation(this.dataKey, federationKey)
    await this.db.amendVault({ federation })
  }

  private async readBack(entry: LogEntry): Promise<void> {
    const stored = await this.db.log.get(entry.seq)
    const read = stored && (await this.sealer.openJson<LogEntry>('log', entry.seq, stored.body))
    const same = read && canonical(read as unknown as Json) === canonical(entry as unknown as Json)
    if (!same) throw new NotSaved()
  }

  /** Write nothing any more, once all that was asked for before is written: the tablet goes to another window. */
  letGo(): Promise<void> {
    return this.inTurn(() => Promise.resolve(void (this.over = true)))
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.queue.then(() => {
      if (this.over) throw new LetGo()
      return work()
    })
    this.queue = turn.catch(() => undefined)
    return turn
  }

  private async write(asked: Change): Promise<void> {
    const { rows, ...others } = asked
    const rowsRev = this.state.rowsRev + 1
    const change = says(rows) ? { ...asked, state: { ...asked.state, rowsRev } } : others
    const sealed = await this.sealAll(change)
    await this.commit(change, sealed).catch((error: unknown) => {
      if (error instanceof AnotherTab) this.onLost()
      throw error
    })
    this.remember(change)
    this.onChange(partsOf(change))
  }

  private async sealAll(change: Change): Promise<SealedChange> {
    const { sealer } = this
    const seal = (store: string, k: string | number, value: unknown) => sealer.sealJson(store, k, value)
    const state = { ...this.state, ...change.state }
    return {
      state: change.state ? await seal('meta', 'state', state) : null,
      session: change.session ? await seal('meta', 'session', change.session) : null,
      log: change.log ? { seq: change.log.seq, body: await seal('log', change.log.seq, change.log) } : null,
      outcomes: await each(change.outcomes, async (o) => ({ seq: o.seq, body: await seal('outcomes', o.seq, o) })),
      rows: await each(change.rows?.put, async ([k, row]) => ({ k, body: await seal('rows', k, row) })),
      drafts: await each(change.drafts?.put, async ([k, draft]) => ({ k, body: await seal('drafts', k, draft) })),
      metas: await each(change.media?.meta, async (m) => ({ k: m.sha256, meta: await seal('media', m.sha256, m) })),
      media: await each(change.media?.add, async ({ media, bytes }) => ({
        k: media.sha256,
        meta: await seal('media', media.sha256, media),
        body: await sealer.seal('media_bytes', media.sha256, bytes),
      })),
      files: await each(change.files?.add, async ({ k, bytes }) => ({
        k,
        body: await sealer.seal('files_bytes', k, bytes),
      })),
    }
  }

  private async commit(change: Change, sealed: SealedChange): Promise<void> {
    const { db } = this
    await db.transaction('rw', db.tables, async () => {
      const held = (await db.meta.get('state')) as StateRecord
      if (held.rev !== this.rev) throw new AnotherTab()
      await db.meta.put({ ...held, rev: this.rev + 1, ...(sealed.state && { body: sealed.state }) })
      if (sealed.session) await db.meta.put({ k: 'session', body: sealed.session })
      if (sealed.log) await db.log.add(sealed.log)
      await db.outcomes.bulkPut(sealed.outcomes)
      // The pack shows rows that may have left the scope by this very change.
      if (change.rows) await db.meta.delete('pack')
      await db.rows.bulkDelete(change.rows?.del ?? [])
      await db.rows.bulkPut(sealed.rows)
      await db.drafts.bulkPut(await this.displaced(change))
      await db.drafts.bulkDelete(change.drafts?.del ?? [])
      await db.drafts.bulkPut(sealed.drafts)
      await db.media.bulkDelete(change.media?.del ?? [])
      await db.media.bulkPut(sealed.media)
      for (const { k, meta } of sealed.metas) await db.media.update(k, { meta })
      for (const k of change.media?.dropBytes ?? []) await db.media.update(k, { body: null })
      await db.files.bulkDelete(change.files?.del ?? [])
      await db.files.bulkPut(sealed.files)
      await db.log.bulkDelete(change.prune ?? [])
      await db.outcomes.bulkDelete(change.prune ?? [])
    })
    this.rev += 1
  }

  /** Drafts that do not open and whose place is written anew, as they lie, under a name beside it. */
  private async displaced({ drafts }: Change): Promise<Sealed[]> {
    const places = [...(drafts?.put?.keys() ?? []), ...(drafts?.del ?? [])].filter((k) => this.isDamaged('drafts', k))
    const found = await this.db.drafts.bulkGet(places)
    return found.flatMap((raw) => (raw ? { ...raw, k: besides(raw.k) } : []))
  }

  isDamaged(store: Damage['store'], k: Damage['k']): boolean {
    return this.damaged.some((one) => one.store === store && one.k === k)
  }

  private remember(change: Change): void {
    if (change.state) this.state = { ...this.state, ...change.state }
    if (change.session) this.session = change.session
    if (change.log) this.log.set(change.log.seq, change.log)
    for (const outcome of change.outcomes ?? []) this.outcomes.set(outcome.seq, outcome)
    this.damaged = this.damaged.filter((one) => !isSaidAgain(one, change)).map((one) => movedBy(one, change))
    for (const k of change.rows?.del ?? []) this.rows.delete(k)
    for (const [k, row] of change.rows?.put ?? []) this.rows.set(k, row)
    for (const k of change.drafts?.del ?? []) this.drafts.delete(k)
    for (const [k, draft] of change.drafts?.put ?? []) this.drafts.set(k, draft)
    for (const k of change.media?.del ?? []) this.media.delete(k)
    for (const { media } of change.media?.add ?? []) this.media.set(media.sha256, media)
    for (const media of change.media?.meta ?? []) this.media.set(media.sha256, media)
    for (const k of change.files?.del ?? []) this.files.delete(k)
    for (const { k } of change.files?.add ?? []) this.files.add(k)
    for (const seq of change.prune ?? []) {
      this.log.delete(seq)
      this.outcomes.delete(seq)
    }
  }
}

interface SealedChange {
  state: Bytes | null
  session: Bytes | null
  log: { seq: number; body: Bytes } | null
  outcomes: { seq: number; body: Bytes }[]
  rows: Sealed[]
  drafts: Sealed[]
  metas: { k: string; meta: Bytes }[]
  media: MediaRecord[]
  files: Sealed[]
}

/** What became of some records is not told here, or does not open: they are sent once more, and the office says it again. */
function unheard(
  { ackedSeq }: SyncState,
  log: ReadonlyMap<number, LogEntry>,
  outcomes: ReadonlyMap<number, StoredOutcome>,
): Partial<SyncState> {
  let from: Partial<SyncState> = {}
  for (let seq = ackedSeq; log.has(seq); seq -= 1) {
    const before = seq === 1 ? CHAIN_START : log.get(seq - 1)?.chain
    if (!outcomes.has(seq) && before !== undefined) from = { ackedSeq: seq - 1, ackedChain: before }
  }
  return from
}

/** The office said again what did not open. */
const isSaidAgain = ({ store, k }: Damage, { rows, outcomes }: Change): boolean =>
  (store === 'rows' && (rows?.put.has(String(k)) || rows?.del.includes(String(k)))) || (store === 'outcomes' && (outcomes ?? []).some(({ seq }) => seq === k))

/** Where a draft that does not open is kept once its place is taken. */
const besides = (k: string): string => `${k} damaged`

const movedBy = (one: Damage, { drafts }: Change): Damage =>
  one.store === 'drafts' && (drafts?.put?.has(String(one.k)) || drafts?.del?.includes(String(one.k)))
    ? { ...one, k: besides(String(one.k)) }
    : one

async function each<T, R>(items: Iterable<T> | undefined, work: (item: T) => Promise<R>): Promise<R[]> {
  return Promise.all(Array.from(items ?? [], work))
}

/** Ten wrong PINs drop the PIN's wrap and the passkey's, but only where the federation's key can still open the work. */
async function noteWrongPin(db: TabletDatabase, vault: VaultRecord): Promise<void> {
  const failed = wrongPins(vault) + 1
  const drop = failed >= PIN_TRIES && vault.federation !== null
  await db.amendVault(drop ? { failed, pin: null, passkey: null } : { failed }).then(
    () => noteElsewhere(0),
    () => noteElsewhere(unnoted() + 1),
  )
}
