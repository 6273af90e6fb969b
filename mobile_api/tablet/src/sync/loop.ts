import type { Engine } from './engine'
import { fetchCertificate, wantedFiles } from './files'
import { Throughput, upload, waitingMedia, type UploadProgress } from './uploads'
import type { Media } from '../store/records'
import { isFull, type Safe } from '../store/safe'

const FIRST_WAIT_MS = 2_000
const LONGEST_WAIT_MS = 5 * 60_000
const QUIET_MS = 60_000
/** A team that comes back to one hotspot begins within so long, not in the same second. */
const SPREAD_MS = 4_000

/** What a round came to, or why it came to nothing. */
type End = 'fine' | 'line' | 'server' | 'full'
/** `waiting` for the line, for a server that is `failing`, or for room on a disk that is `full`. */
export type LineState = 'idle' | 'talking' | 'waiting' | 'failing' | 'full'
const REST: Record<End, LineState> = { fine: 'idle', line: 'waiting', server: 'failing', full: 'full' }

/** Decides when to talk: at once when there is something to say, with growing pauses when nobody answers. */
export class SyncLoop {
  line: LineState = 'idle'
  /** which of how many files is on its way, and how much of it */
  uploading: (UploadProgress & { nth: number; of: number }) | null = null
  onChange: () => void = () => undefined

  private failures = 0
  /** what the last round came to */
  private end: End = 'fine'
  private readonly throughput = new Throughput()
  private readonly setBack = new Set<string>()
  private timer: ReturnType<typeof setTimeout> | null = null
  private running: Promise<void> | null = null
  private again = false
  private stopped = false

  constructor(
    private readonly safe: Safe,
    private readonly engine: Engine,
    private readonly random: () => number = Math.random,
    private readonly afterwards: () => Promise<void> = () => Promise.resolve(),
  ) {}

  /** Talk now; a person asked, or something was said. */
  nudge(): Promise<void> {
    this.again = true
    this.running ??= this.run().finally(() => {
      this.running = null
    })
    return this.running
  }

  /** The line is back, or somebody looks at the tablet again: talk soon. A server that fails keeps its pause. */
  comeBack(spread = this.random()): void {
    // What was under way when the line went may have failed only now.
    if (this.running) void this.running.then(() => this.failures && this.comeBack(spread))
    else if (!this.stopped && this.end !== 'server') this.schedule(SPREAD_MS * spread)
  }

  stop(): void {
    this.stopped = true
    this.settle()
  }

  private async run(): Promise<void> {
    this.settle()
    while (this.again && !this.stopped) {
      this.again = false
      this.show('talking')
      this.end = await this.round().catch((error: unknown): End => (isFull(error) ? 'full' : 'server'))
      this.failures = this.end === 'fine' ? 0 : this.failures + 1
    }
    this.show(REST[this.end])
    this.schedule(pause(this.failures, this.random()))
  }

  private async round(): Promise<End> {
    const end = await this.talk()
    // On a full disk the photos go on: what the office has of them makes room.
    if (end !== 'fine' && end !== 'full') return end
    const media = this.inTurn(waitingMedia(this.safe))
    const sent = await this.uploadAll(media)
    if (sent === 'line' || this.stopped) return sent
    // The receipt that frees the photos comes with the next answer.
    const last = media.length > 0 ? await this.talk() : end
    if (last !== 'fine') return last
    await this.afterwards().catch(() => undefined) // a lease that does not come now is asked for again
    await this.fetchPapers()
    return sent
  }

  private async uploadAll(media: Media[]): Promise<End> {
    let end: End = 'fine'
    for (const [index, item] of media.entries()) {
      const came = await upload(this.safe, item, (progress) => {
        this.uploading = { ...progress, nth: index + 1, of: media.length }
        this.onChange()
      }, this.throughput)
      this.uploading = null
      if (came === 'line down' || came === 'signed out') return 'line'
      if (came === 'server fails' || came === 'spoilt') {
        this.setBack.add(item.sha256)
        end = 'server'
      }
      // Where one arrived as something else, line and server are there for the others; what was said meanwhile goes first.
      if (came === 'server fails' || this.stopped || this.again) return end
    }
    return end
  }

  /** A picture that the server stumbles over goes last the next time: it must not hold up all others for ever. */
  private inTurn(media: Media[]): Media[] {
    const late = ({ sha256 }: Media) => Number(this.setBack.has(sha256))
    return media.sort((a, b) => late(a) - late(b))
  }

  /** Papers to hand over come last and by themselves: at the door there may be no line. */
  private async fetchPapers(): Promise<void> {
    if (this.safe.state.halt !== null) return
    for (const id of wantedFiles(this.safe)) {
      if (this.stopped || this.again) return
      // A paper that does not come now is asked for again with the next exchange.
      await fetchCertificate(this.safe, id).catch(() => undefined)
    }
  }

  private async talk(): Promise<End> {
    for (;;) {
      const step = await this.engine.exchange()
      if (step === 'down') return 'line'
      if (step === 'later') return 'server'
      if (step === 'full') return 'full'
      if (step !== 'more' || this.stopped) return 'fine'
    }
  }

  private show(line: LineState): void {
    this.line = line
    this.onChange()
  }

  private schedule(wait: number): void {
    if (this.stopped) return
    this.settle()
    this.timer = setTimeout(() => void this.nudge(), wait)
  }

  private settle(): void {
    if (this.timer !== null) clearTimeout(this.timer)
  }
}

/** The pause before the next try: doubles up to five minutes, half of it by chance (full storms spread). */
export function pause(failures: number, chance: number): number {
  if (failures === 0) return QUIET_MS
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1))
  return longest / 2 + (longest / 2) * chance
}
