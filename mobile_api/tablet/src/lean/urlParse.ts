/** The browser's own URL in place of the parser that tus-js-client brings along for older ones. */
export default function resolved(link: string, origin: string): URL {
  return new URL(link, new URL(origin, location.href))
}
