import type { Category } from '../core/wire'

/** What a visit takes along: always a white cloth for the portrait and a full battery, then by category. */
export function bringing(visits: readonly { categories: readonly Category[] }[]): string[] {
  return [...new Set(['white_cloth', 'camera', ...visits.flatMap(({ categories }) => categories)])]
}
