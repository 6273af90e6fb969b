import Dexie, { type PromiseExtended, type Table } from 'dexie'
import type { PasskeyWrap } from '../vault/passkey'
import type { FederationWrap, LeasedWrap, PinWrap } from '../vault/wraps'

/** The server's part of what opens the PIN's wrap, while it is lent. */
export interface Lease {
  /** null once the lease has ended */
  share: string | null
  /** the secret with which a locked tablet asks for it */
  ask: string
  /** by this device's own clock, in milliseconds */
  until: number
  /** the life of the register that lent it; earlier versions did not note it */
  epoch?: string | null
}

/** The one record in clear: what is needed before the data key is at hand. Names no person. */
export interface VaultRecord {
  k: 'vault'
  replica: string
  publicKey: string
  pin: PinWrap | LeasedWrap | null
  passkey?: PasskeyWrap | null
  lease?: Lease
  federation: FederationWrap | null
  failed: number
  /** a hand-in under way: its id, the digest of what it holds, and the parts the office has */
  handIn?: { id: string; what: string; done: number }
}

export interface Sealed {
  k: string
  body: Uint8Array
}

/** The sealed sync state; `rev` counts its writes, so that a second tab is found out. */
export interface StateRecord extends Sealed {
  rev: number
}

export interface SealedSeq {
  seq: number
  body: Uint8Array
}

/** A photo or signature: its description and its bytes, sealed apart. */
export interface MediaRecord {
  k: string
  meta: Uint8Array
  body: Uint8Array | null
}

export const DATABASE = 'outreach-tablet'

/** Everything on this tablet. All but `vault` is sealed; indexes carry opaque ids only. */
export class TabletDatabase extends Dexie {
  declare meta: Table<VaultRecord | Sealed | StateRecord, string>
  declare rows: Table<Sealed, string>
  declare log: Table<SealedSeq, number>
  declare outcomes: Table<SealedSeq, number>
  declare drafts: Table<Sealed, string>
  declare media: Table<MediaRecord, string>
  declare files: Table<Sealed, string>

  constructor(name = DATABASE) {
    // Strict: a transaction is done when it is on the disk, not when it is in the system's cache.
    super(name, { chromeTransactionDurability: 'strict' })
    this.version(1).stores({
      meta: 'k',
      rows: 'k',
      log: 'seq',
      outcomes: 'seq',
      drafts: 'k',
      media: 'k',
      files: 'k',
    })
  }

  /** Open. Where the browser refuses, the next who asks tries again; Dexie would refuse for as long as the page lives. */
  override open(): PromiseExtended<Dexie> {
    const opening = super.open()
    // A moment later: those who waited for this try hear that it failed.
    opening.catch(() => setTimeout(() => this.isOpen() || this.close({ disableAutoOpen: false })))
    return opening
  }

  async vault(): Promise<VaultRecord | undefined> {
    return (await this.meta.get('vault')) as VaultRecord | undefined
  }

  /** Forget the server's part when its lease is over. */
  async endLease(now: number): Promise<void> {
    const lease = (await this.vault())?.lease
    if (lease?.share && lease.until < now) await this.amendVault({ lease: { ...lease, share: null } })
  }

  /** Change some of the vault and leave the rest as it stands now. */
  async amendVault(change: Partial<VaultRecord>): Promise<void> {
    await this.transaction('rw', this.meta, async () => {
      const held = await this.vault()
      if (held) await this.meta.put({ ...held, ...change })
    })
  }
}
