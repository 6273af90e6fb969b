/** What this tablet runs; told to the office with every exchange. */
export const APP = '0.7.2'

/** Tell whether version `mine` is older than `least`, part by part ("0.10.0" is newer than "0.9.1"). */
export function isOlder(mine: string, least: string): boolean {
  const [a, b] = [mine, least].map((text) => text.split('.').map(Number))
  for (let index = 0; index < 3; index += 1) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
