/** Reads QR codes from a running camera: by the browser where it can, else by a reader of our own. */
type Read = (video: HTMLVideoElement) => Promise<string | null>

interface NativeDetector {
  detect(source: CanvasImageSource): Promise<{ rawValue: string }[]>
}
type NativeKind = (new (options: { formats: string[] }) => NativeDetector) & { getSupportedFormats(): Promise<string[]> }

/** Enough for a code that fills a third of the picture, and quick on a slow tablet. */
const LONG_EDGE = 800

/** Make the reader. The one of our own is loaded only when it is asked for. */
export async function qrReader(): Promise<Read> {
  const native = (window as unknown as { BarcodeDetector?: NativeKind }).BarcodeDetector
  const formats = await native?.getSupportedFormats().catch((): string[] => [])
  if (native && formats?.includes('qr_code')) {
    const detector = new native({ formats: ['qr_code'] })
    return async (video) => (await detector.detect(video))[0]?.rawValue ?? null
  }
  const { default: decode } = await import('qr/decode.js')
  const canvas = document.createElement('canvas')
  return (video) => {
    const image = pixels(video, canvas)
    try {
      return Promise.resolve(image && decode(image))
    } catch {
      return Promise.resolve(null) // no code in this picture
    }
  }
}

function pixels(video: HTMLVideoElement, canvas: HTMLCanvasElement): ImageData | null {
  const scale = Math.min(1, LONG_EDGE / Math.max(video.videoWidth, video.videoHeight, 1))
  canvas.width = Math.round(video.videoWidth * scale)
  canvas.height = Math.round(video.videoHeight * scale)
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context || canvas.width === 0 || canvas.height === 0) return null
  context.drawImage(video, 0, 0, canvas.width, canvas.height)
  return context.getImageData(0, 0, canvas.width, canvas.height)
}
