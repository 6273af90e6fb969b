/** What became of records that were not applied: the office's decision, and corrected copies. Pure. */
import type { DisputeRow } from '../core/wire'
import { finalOutcome, mediaOf, type LogEntry, type Media, type PulledRow, type StoredOutcome } from '../store/records'

interface Source {
  replica: string
  rows: ReadonlyMap<string, PulledRow>
  log: ReadonlyMap<number, LogEntry>
  outcomes: ReadonlyMap<number, StoredOutcome>
  media: ReadonlyMap<string, Media>
}

export interface DisputeView {
  key: string
  /** null where this tablet no longer has, or never had, the record itself */
  entry: LogEntry | null
  /** `rejected`: taken in, but for a picture in which the office sees none */
  outcome: DisputeRow['outcome'] | 'rejected'
  message: string
  decision: DisputeRow['decision']
  reason: string
  /** the newest corrected copy that was sent for it */
  correction: LogEntry | null
}

/** Every record that was not applied whole, newest first; those of other tablets of the same user last. */
export function disputes(source: Source): DisputeView[] {
  const rows = disputeRows(source)
  const mine = new Map(rows.filter(({ replica }) => replica === source.replica).map((row) => [row.seq, row]))
  const ours = Array.from(source.outcomes.values()).flatMap((stored): DisputeView[] => {
    const outcome = finalOutcome(stored)
    const entry = source.log.get(stored.seq)
    if (outcome === 'applied' || !entry) return []
    const { decision = null, reason = '' } = mine.get(stored.seq) ?? stored.decided ?? {}
    const correction = correctionOf(source, entry)
    return [{ key: String(stored.seq), entry, outcome, message: stored.message ?? '', decision, reason, correction }]
  })
  const told = new Set(ours.map(({ key }) => key))
  const others = rows
    .filter(({ replica, seq }) => replica !== source.replica || !told.has(String(seq)))
    .map(({ replica, seq, outcome, decision, reason }): DisputeView => ({
      key: `${replica}/${seq}`,
      entry: null,
      message: '',
      correction: null,
      ...{ outcome, decision, reason },
    }))
  const seq = ({ entry }: DisputeView) => entry?.seq ?? 0
  return [...[...ours, ...toRetake(source)].sort((a, b) => seq(b) - seq(a)), ...others]
}

/** What was taken in, but for a picture: it is taken anew, and sent with a corrected copy. */
function toRetake(source: Source): DisputeView[] {
  const isTaken = ({ seq }: LogEntry) => {
    const stored = source.outcomes.get(seq)
    return !stored || finalOutcome(stored) === 'applied' || decisionOn(source, seq) === 'accepted'
  }
  return Array.from(source.log.values())
    .filter((entry) => rejectedIn(source, entry).length > 0 && isTaken(entry))
    .map((entry): DisputeView => ({
      key: `picture/${entry.seq}`,
      entry,
      correction: correctionOf(source, entry),
      ...{ outcome: 'rejected', message: '', decision: null, reason: '' },
    }))
}

/** The pictures of a record in which the office sees none, and of which nobody told it yet. */
export function rejectedIn({ media }: Pick<Source, 'media'>, entry: LogEntry): Media[] {
  return mediaOf(entry)
    .flatMap(({ sha256 }) => media.get(sha256) ?? [])
    .filter(({ state, noted }) => state === 'rejected' && !noted)
}

/** Whether a person here or at the office still has something to do with it. */
export const isOpen = ({ decision, correction }: DisputeView): boolean => decision === null && correction === null

/** Whether the person here may do something about it. */
export const isToHandle = (dispute: DisputeView): boolean =>
  isOpen(dispute) && !waitsForOffice(dispute.outcome, dispute.entry)

/** What is parked waits for the office alone; so does a contested telephone or address, of which both are kept. */
export const waitsForOffice = (outcome: DisputeView['outcome'], entry: LogEntry | null): boolean =>
  outcome === 'parked' || (outcome === 'conflict' && entry?.name === 'correct_contact')

/** Whom an entry of this log is about by its own words, also where the case has left the tablet since. */
export function nameIn({ args }: LogEntry): string {
  const { resident, consent } = args as { resident?: { name: string }; consent?: { by: string; name: string } | null }
  return resident?.name ?? (consent?.by === 'resident' ? consent.name : '')
}

/** What the office decided about an entry of this log; null where nothing is decided. */
export function decisionOn(source: Pick<Source, 'rows' | 'replica' | 'outcomes'>, seq: number): DisputeRow['decision'] {
  const row = disputeRows(source).find((one) => one.replica === source.replica && one.seq === seq)
  return (row ?? source.outcomes.get(seq)?.decided)?.decision ?? null
}

/** The newest corrected copy of an entry. */
export function correctionOf({ log }: Pick<Source, 'log'>, { id }: LogEntry): LogEntry | null {
  const copies = [...log.values()].filter((entry) => (entry.args as { corrects?: string }).corrects === id)
  return copies.sort((a, b) => b.seq - a.seq)[0] ?? null
}

function disputeRows({ rows }: { rows: ReadonlyMap<string, PulledRow> }): DisputeRow[] {
  return Array.from(rows)
    .filter(([key]) => key.startsWith('dispute/'))
    .map(([, row]) => row.d as unknown as DisputeRow)
}
