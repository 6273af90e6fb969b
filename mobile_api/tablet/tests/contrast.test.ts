import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const TOKENS = readFileSync(fileURLToPath(new URL('../../../outreach/static/outreach/tokens.css', import.meta.url)), 'utf8')
const [usual = '', more = ''] = TOKENS.split('@media (prefers-contrast: more)')
const colours = (css: string) => Array.from(css.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g), ([, name, value]) => [name ?? '', value ?? ''] as const)

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}
const PAIRS = [
  ...['ink', 'ink-soft', 'green', 'green-deep', 'bad', 'warn', 'info', 'good'].flatMap((text) => [[text, 'paper'], [text, 'sheet']]),
  ...['good', 'warn', 'bad', 'info'].map((state) => [state, `${state}-wash`]),
  ...[['ink', 'wash'], ['ink-soft', 'wash'], ['ink', 'green-wash'], ['on-green', 'green']],
] as [string, string][]

describe('in sunlight', () => {
  it.each([
    ['as usual', new Map(colours(usual))],
    ['with more contrast', new Map([...colours(usual), ...colours(more)])],
  ])('every text stands out from its ground by 6.5 to 1, borders by 3 (%s)', (_how, look) => {
    const of = (name: string) => look.get(name) ?? ''
    const faint = PAIRS.filter(([text, ground]) => !(contrast(of(text), of(ground)) >= 6.5))
    expect(faint.map(([text, ground]) => `${text} on ${ground}: ${contrast(of(text), of(ground)).toFixed(2)}`)).toEqual([])
    expect(contrast(of('edge'), of('sheet'))).toBeGreaterThanOrEqual(3)
  })
})
