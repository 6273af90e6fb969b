export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined }

/** Write a value as RFC 8785 canonical JSON. Members that are undefined are left out, as JSON does. */
export function canonical(value: Json): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError('not a JSON number')
  if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) throw new TypeError('lone surrogate')
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  // RFC 8785 §3.2.3: member names sort by UTF-16 code units, which is what sort() does.
  const names = Object.keys(value).filter((name) => value[name] !== undefined).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name] as Json)}`).join(',')}}`
}

/** Copy a value as JSON has it. Half a character (half an emoji, cut by an input method) has no
 * canonical form and would hold up the record it stands in for ever: it becomes U+FFFD. */
export function plain(value: unknown): Json {
  const whole = (_name: string, one: unknown): unknown =>
    typeof one === 'string' ? one.replace(/\p{Surrogate}/gu, '\ufffd') : one
  return JSON.parse(JSON.stringify(value), whole) as Json
}
