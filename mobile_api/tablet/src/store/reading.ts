import type { Sealed, SealedSeq, StateRecord, TabletDatabase } from './database'
import type { PulledRow } from './records'

/** All rows, and the count of their changes at which they were laid together. */
export interface Pack {
  of: number
  rows: [string, PulledRow][]
}

/** What lies on the disk, as it lies there; the rows are read only where no pack stands for them. */
export interface Stored {
  state: StateRecord
  session: Sealed | undefined
  deviceKey: Sealed
  pack: Sealed | undefined
  log: SealedSeq[]
  outcomes: SealedSeq[]
  drafts: Sealed[]
  media: [string, Uint8Array][]
  files: string[]
}

/** Read the disk at once, without its rows and the bytes of its pictures. */
export async function readAll(db: TabletDatabase): Promise<Stored> {
  const media: [string, Uint8Array][] = []
  const [[state, session, deviceKey, pack], log, outcomes, drafts, files] = await Promise.all([
    db.meta.bulkGet(['state', 'session', 'device_key', 'pack']),
    db.log.toArray(),
    db.outcomes.toArray(),
    db.drafts.toArray(),
    db.files.toCollection().primaryKeys(),
    db.media.each(({ k, meta }) => void media.push([k, meta])), // one at a time: bodies are large
  ])
  return {
    state: state as StateRecord,
    session: session as Sealed | undefined,
    deviceKey: deviceKey as Sealed,
    pack: pack as Sealed | undefined,
    ...{ log, outcomes, drafts, media, files },
  }
}
