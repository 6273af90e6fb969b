import type { DetailedError } from 'tus-js-client'
import { dayOf } from '../core/clock'
import { uploadOf } from '../lean/tus'
import type { Media } from '../store/records'
import type { Safe } from '../store/safe'
import { PATIENCE_MS, problemSlug } from './transport'

/** A chunk should take about so long: a cut costs at most that much, and a fast line no round trips. */
const CHUNK_MS = 4_000
const SMALLEST = 64 * 1024
const LARGEST = 1024 * 1024
/** A line that is cut every few kilobytes gets pieces that fit between two cuts. */
const LEAST = 4 * 1024

/** The size of the next chunk, in bytes, on a line that carries so many bytes a second. */
export function chunkFor(bytesPerSecond: number): number {
  const fits = Math.round((bytesPerSecond * CHUNK_MS) / 1000 / SMALLEST) * SMALLEST
  return Math.min(LARGEST, Math.max(SMALLEST, fits))
}

/** How fast the line was with the last chunks: photos of one round, and rounds, learn from each other. */
export class Throughput {
  private rate: number | null = null
  private since = 0
  /** halved by each cut, and won back an eighth at a time */
  private most = LARGEST

  constructor(private readonly mono: () => number = () => performance.now()) {}

  /** A chunk sets out. */
  begin(): void {
    this.since = this.mono()
  }
  /** So many bytes arrived since the chunk set out; the next one sets out now. */
  arrived(bytes: number): void {
    const seconds = Math.max(0.001, (this.mono() - this.since) / 1000)
    const rate = bytes / seconds
    this.rate = this.rate === null ? rate : (this.rate + rate) / 2
    this.most = Math.min(LARGEST, Math.floor(this.most * 1.125))
    this.begin()
  }
  /** A line that fails is taken for half as fast, and for one that carries half as much at a time. */
  failed(): void {
    this.most = Math.max(LEAST, Math.floor(this.chunk / 2))
    if (this.rate !== null) this.rate /= 2
    this.begin()
  }
  /** What to send at once; small until something was measured. */
  get chunk(): number {
    return Math.min(this.most, this.rate === null ? SMALLEST : chunkFor(this.rate))
  }
}

export interface UploadProgress {
  sha256: string
  sent: number
  size: number
}

export type Pace = Pick<Throughput, 'begin' | 'arrived' | 'failed' | 'chunk'>

/** What one upload came to. */
export type UploadEnd = 'sent' | 'line down' | 'server fails' | 'spoilt' | 'rejected' | 'signed out' | 'unreadable'

/** Signatures before photos, today's before older ones, each day's in the order they were made. */
export function waitingMedia(safe: Safe): Media[] {
  const missing = new Set(safe.state.missing)
  const rank = (media: Media) => (media.kind.startsWith('signature') ? 0 : 1)
  return Array.from(safe.media.values())
    .filter(({ state, told, sha256 }) => (state === 'declared' || (state === 'rejected' && !told)) && missing.has(sha256))
    .sort((a, b) => rank(a) - rank(b) || dayAgainst(b, a) || (a.taken_at < b.taken_at ? -1 : 1))
}

const dayAgainst = (a: Media, b: Media) => dayOf(Date.parse(a.taken_at)).localeCompare(dayOf(Date.parse(b.taken_at)))

/** Send one photo or signature, going on at the byte where an earlier attempt stopped. */
export async function upload(
  safe: Safe,
  media: Media,
  onProgress: (progress: UploadProgress) => void,
  line: Pace = new Throughput(),
): Promise<UploadEnd> {
  const bytes = await safe.bytesOf('media', media.sha256).catch(() => undefined)
  if (bytes === undefined) safe.note({ store: 'media', k: media.sha256 })
  // It was let go of because the office had it; a restored one has not, so that it is taken anew.
  if (bytes === null) await remember(safe, media.sha256, { state: 'rejected', told: true, lost: true })
  if (!bytes) return bytes === null ? 'rejected' : 'unreadable'
  const file = new Blob([bytes], { type: media.type })
  const end = await send(safe, media, file, onProgress, line)
  if (end === 'rejected') await remember(safe, media.sha256, { state: 'rejected', told: true, uploadUrl: null })
  else if (end === 'sent' && media.state === 'rejected') await remember(safe, media.sha256, { state: 'declared' })
  return end
}

function send(
  safe: Safe,
  media: Media,
  file: Blob,
  onProgress: (progress: UploadProgress) => void,
  line: Pace,
): Promise<UploadEnd> {
  return new Promise((settle) => {
    let patience: ReturnType<typeof setTimeout>
    const moved = () => {
      clearTimeout(patience)
      patience = setTimeout(giveUp, PATIENCE_MS)
    }
    const resolve = (end: UploadEnd) => {
      clearTimeout(patience)
      settle(end)
    }
    /** A browser waits for a line that fell silent until its sockets die; everything else would wait with it. */
    const giveUp = () => {
      void task.abort()
      line.failed()
      if (task.url === null) void remember(safe, media.sha256, { begun: true })
      resolve('line down')
    }
    line.begin()
    moved()
    /** Whether the next request only asks where the upload stands. */
    let asks = media.begun === true && media.uploadUrl === null
    const task = uploadOf(file, {
      endpoint: '/api/v1/uploads/',
      uploadUrl: media.uploadUrl,
      chunkSize: asks ? 0 : line.chunk,
      uploadDataDuringCreation: true,
      metadata: { sha256: media.sha256, type: media.type },
      headers: { Authorization: `Bearer ${safe.session?.token ?? ''}` },
      // Where an upload stands is kept sealed with the photo, not in clear in localStorage.
      storeFingerprintForResuming: false,
      removeFingerprintOnSuccess: true,
      retryDelays: [500, 2000, 5000],
      onShouldRetry: (error) => {
        line.failed()
        // Part of what a cut creation carried is there: created again with nothing, it says how much.
        asks = task.url === null
        task.options.chunkSize = asks ? 0 : line.chunk
        return !isFinal(error)
      },
      onChunkComplete: (bytes) => {
        moved()
        if (asks) line.begin()
        else line.arrived(bytes)
        asks = false
        task.options.chunkSize = line.chunk
      },
      onUploadUrlAvailable: () => void remember(safe, media.sha256, { uploadUrl: task.url }),
      onProgress: (sent) => {
        moved()
        onProgress({ sha256: media.sha256, sent, size: file.size })
      },
      onSuccess: () => resolve('sent'),
      onError: (error) => {
        const status = statusOf(error as DetailedError)
        if (!isFinal(error as DetailedError)) line.failed()
        if (status === 460) void remember(safe, media.sha256, { uploadUrl: null })
        else if (status === 0 && task.url === null) void remember(safe, media.sha256, { begun: true })
        resolve(endOf(error as DetailedError))
      },
    })
    task.start()
  })
}

async function remember(safe: Safe, sha256: string, change: Partial<Media>): Promise<void> {
  const held = safe.media.get(sha256)
  if (held) await safe.change({ media: { meta: [{ ...held, ...change }] } })
}

function statusOf(error: DetailedError): number {
  return error.originalResponse?.getStatus() ?? 0
}

const isFinal = (error: DetailedError) => [401, 403, 460].includes(statusOf(error)) || isNoPicture(error)

/** Only the office itself says that it is no picture; whatever else stands in the way, with whatever number, may go. */
function isNoPicture(error: DetailedError): boolean {
  try {
    return problemSlug(JSON.parse(error.originalResponse?.getBody() ?? '')) === 'not-a-picture'
  } catch {
    return false
  }
}

function endOf(error: DetailedError): UploadEnd {
  if (isNoPicture(error)) return 'rejected'
  const status = statusOf(error)
  if (status === 401 || status === 403) return 'signed out'
  if (status === 460) return 'spoilt' // the bytes did not arrive as they were sent
  return status === 0 ? 'line down' : 'server fails'
}
