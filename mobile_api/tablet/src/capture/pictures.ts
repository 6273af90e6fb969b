/** Pictures as evidence: 1600 pixels on the long edge, JPEG; re-encoding drops what a camera wrote in. */
import { sha256Hex, type Bytes } from '../core/bytes'

const LONG_EDGE = 1600
const QUALITY = 0.75
/** Two-inch portrait: 35 × 49 mm. */
export const PORTRAIT_RATIO = 35 / 49

export interface Picture {
  bytes: Bytes
  sha256: string
  type: 'image/jpeg' | 'image/png'
}

/** A camera that has not come to itself gives pictures of a few pixels. */
const SHORT_EDGE_LEAST = 64

export class NotAPicture extends Error {}

/** Draw what the viewfinder shows, cut to the portrait's frame where one is asked for. */
export async function fromVideo(video: HTMLVideoElement, portrait: boolean): Promise<Picture> {
  return encode(video, video.videoWidth, video.videoHeight, portrait)
}

/** Read a picture file that a person chose. Raises NotAPicture. */
export async function fromFile(file: File, portrait: boolean): Promise<Picture> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new NotAPicture()
  })
  try {
    return await encode(bitmap, bitmap.width, bitmap.height, portrait)
  } finally {
    bitmap.close()
  }
}

async function encode(source: CanvasImageSource, width: number, height: number, portrait: boolean): Promise<Picture> {
  if (Math.min(width, height) < SHORT_EDGE_LEAST) throw new NotAPicture()
  const cut = portrait ? frame(width, height) : { x: 0, y: 0, width, height }
  const scale = Math.min(1, LONG_EDGE / Math.max(cut.width, cut.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(cut.width * scale))
  canvas.height = Math.max(1, Math.round(cut.height * scale))
  const context = canvas.getContext('2d')
  if (!context) throw new NotAPicture()
  context.drawImage(source, cut.x, cut.y, cut.width, cut.height, 0, 0, canvas.width, canvas.height)
  return pictureOf(canvas, 'image/jpeg')
}

/** The largest two-inch frame in the middle of the picture. */
export function frame(width: number, height: number) {
  const cutWidth = Math.min(width, height * PORTRAIT_RATIO)
  const cutHeight = cutWidth / PORTRAIT_RATIO
  return { x: (width - cutWidth) / 2, y: (height - cutHeight) / 2, width: cutWidth, height: cutHeight }
}

export async function pictureOf(canvas: HTMLCanvasElement, type: Picture['type']): Promise<Picture> {
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, type, QUALITY))
  if (!blob) throw new NotAPicture()
  const bytes = new Uint8Array(await blob.arrayBuffer())
  return { bytes, sha256: await sha256Hex(bytes), type }
}
