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
  return pictureOf(drawn(video, video.videoWidth, video.videoHeight, portrait).canvas, 'image/jpeg')
}

/**
 * Read a picture file that a person chose. Raises NotAPicture.
 *
 * No bitmap is made of it: that is decoded whole, 200 MB for a camera of 50 megapixels, and a small tablet ends the page.
 */
export async function fromFile(file: File, portrait: boolean): Promise<Picture> {
  const image = new Image()
  image.src = URL.createObjectURL(file)
  try {
    await new Promise((done, failed) => Object.assign(image, { onload: done, onerror: () => failed(new NotAPicture()) }))
    const paper = drawn(image, image.naturalWidth, image.naturalHeight, portrait)
    if (file.type === 'image/jpeg' && isCutOff(paper)) throw new NotAPicture()
    return await pictureOf(paper.canvas, 'image/jpeg')
  } finally {
    URL.revokeObjectURL(image.src)
  }
}

function drawn(source: CanvasImageSource, width: number, height: number, portrait: boolean): CanvasRenderingContext2D {
  if (Math.min(width, height) < SHORT_EDGE_LEAST) throw new NotAPicture()
  const cut = portrait ? frame(width, height) : { x: 0, y: 0, width, height }
  const scale = Math.min(1, LONG_EDGE / Math.max(cut.width, cut.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(cut.width * scale))
  canvas.height = Math.max(1, Math.round(cut.height * scale))
  const context = canvas.getContext('2d')
  if (!context) throw new NotAPicture()
  // Whole, with what is cut off beyond the edge: of a part of it a browser decodes all, however small it is drawn.
  const [wide, high] = [canvas.width / cut.width, canvas.height / cut.height]
  context.drawImage(source, -cut.x * wide, -cut.y * high, width * wide, height * high)
  return context
}

/** Whether a corner was never drawn: the file came only in part, and the rest would be black. */
const isCutOff = (paper: CanvasRenderingContext2D): boolean =>
  [0, paper.canvas.width - 1].some((x) => [0, paper.canvas.height - 1].some((y) => !paper.getImageData(x, y, 1, 1).data[3]))

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
