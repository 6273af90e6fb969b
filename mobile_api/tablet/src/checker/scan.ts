/** Finds a QR code in a picture or before the camera. */
import decodeQR from 'qr/decode.js'

const LARGEST = 2200
const EFFORT = { effort: 3, timeLimit: 400 }
/** A blurred code is often read at a smaller size. */
const SCALES = [1, 0.6, 0.4]
const GLANCE_MS = 150

/** Return the text of the code in a picture file, or undefined. */
export async function readPicture(file: Blob): Promise<string | undefined> {
  const picture = await createImageBitmap(file)
  const most = LARGEST / Math.max(picture.width, picture.height)
  for (const scale of SCALES) {
    const text = readPixels(picture, picture.width, picture.height, Math.min(1, most) * scale)
    if (text !== undefined) return text
  }
  return undefined
}

/** Look through the camera until a code is read or `stop` says so. */
export async function readCamera(video: HTMLVideoElement, stop: AbortSignal): Promise<string | undefined> {
  const wanted = { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 960 } }
  const stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false })
  try {
    video.srcObject = stream
    await video.play()
    while (!stop.aborted) {
      const text = readPixels(video, video.videoWidth, video.videoHeight, 1)
      if (text !== undefined) return text
      await new Promise((done) => setTimeout(done, GLANCE_MS))
    }
    return undefined
  } finally {
    for (const track of stream.getTracks()) track.stop()
    video.srcObject = null
  }
}

function readPixels(source: CanvasImageSource, width: number, height: number, scale: number): string | undefined {
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  if (canvas.width === 0) return undefined
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (context === null) return undefined
  context.drawImage(source, 0, 0, canvas.width, canvas.height)
  try {
    return decodeQR(context.getImageData(0, 0, canvas.width, canvas.height), EFFORT)
  } catch {
    return undefined // the library says by an error that there is no code
  }
}
