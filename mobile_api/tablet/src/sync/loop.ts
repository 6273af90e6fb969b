import type { Engine } from './engine'
import { fetchCertificate, wantedFiles } from './files'
import { Throughput, upload, waitingMedia, type UploadProgress } from './uploads'
import type { Safe } from '../store/safe'

const FIRST_WAIT_MS = 2_000
const LONGEST_WAIT_MS = 5 * 60_000
const QUIET_MS = 60_000

export type LineState = 'idle' | 'talking' | 'waiting'

/** Decides when to talk: at once when there is something to say, with growing pauses when nobody answers. */
export class SyncLoop {
  line: LineState = 'idle'
  uploading: UploadProgress | null = null
  onChange: () => void = () => undefined

  private failures = 0
  private readonly throughput = new Throughput()
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

  /** Talk now; a person asked, something was said, or the line came back. */
  nudge(): Promise<void> {
    this.again = true
    this.running ??= this.run().finally(() => {
      this.running = null
    })
    return this.running
  }

  stop(): void {
    this.stopped = true
    if (this.timer !== null) clearTimeout(this.timer)
  }

  private async run(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer)
    while (this.again && !this.stopped) {
      this.again = false
      this.show('talking')
      const fine = await this.round().catch(() => false)
      this.failures = fine ? 0 : this.failures + 1
    }
    this.show(this.failures ? 'waiting' : 'idle')
    this.schedule()
  }

  private async round(): Promise<boolean> {
    if (!(await this.talk())) return false
    const media = waitingMedia(this.safe)
    for (const item of media) {
      const end = await upload(this.safe, item, (progress) => {
        this.uploading = progress
        this.onChange()
      }, this.throughput)
      this.uploading = null
      if (end === 'line down' || end === 'signed out') return false
      if (this.stopped) return true
    }
    // The receipt that frees the photos comes with the next answer.
    if (media.length > 0 && !(await this.talk())) return false
    await this.afterwards().catch(() => undefined) // a lease that does not come now is asked for again
    await this.fetchPapers()
    return true
  }

  /** Papers to hand over come last and by themselves: at the door there may be no line. */
  private async fetchPapers(): Promise<void> {
    if (this.safe.state.halt !== null) return
    for (const id of wantedFiles(this.safe)) {
      if (this.stopped) return
      // A paper that does not come now is asked for again with the next exchange.
      await fetchCertificate(this.safe, id).catch(() => undefined)
    }
  }

  private async talk(): Promise<boolean> {
    for (;;) {
      const step = await this.engine.exchange()
      if (step !== 'more') return step !== 'later'
      if (this.stopped) return true
    }
  }

  private show(line: LineState): void {
    this.line = line
    this.onChange()
  }

  private schedule(): void {
    if (this.stopped) return
    this.timer = setTimeout(() => void this.nudge(), pause(this.failures, this.random()))
  }
}

/** The pause before the next try: doubles up to five minutes, half of it by chance (full storms spread). */
export function pause(failures: number, chance: number): number {
  if (failures === 0) return QUIET_MS
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1))
  return longest / 2 + (longest / 2) * chance
}
