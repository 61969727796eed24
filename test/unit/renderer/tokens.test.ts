import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const css = readFileSync(join(import.meta.dirname, '..', '..', '..', 'renderer', 'styles', 'tokens.css'), 'utf8')

/** The two colours of every `--name: light-dark(#rrggbb, #rrggbb)`. */
const colours = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, name, light, dark]) => [name, { light: light!, dark: dark! }]),
)

/** Relative luminance of an sRGB colour (WCAG 2.2). */
function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

/** Contrast ratio of two colours, 1 to 21 (WCAG 2.2). */
function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (high! + 0.05) / (low! + 0.05)
}

/** Every pair the components put on each other, with the contrast WCAG AA asks for: 4.5 for text, 3 for borders that carry meaning. */
const PAIRS: readonly (readonly [string, string, number])[] = [
  ...['ground', 'sunken', 'surface', 'raised', 'hover'].flatMap((ground) => [
    ['ink', ground, 4.5] as const,
    ['ink-soft', ground, 4.5] as const,
    ['accent', ground, 4.5] as const,
  ]),
  ...['ground', 'surface', 'raised'].map((ground) => ['line-strong', ground, 3] as const),
  ...['accent', 'good', 'warning', 'danger'].flatMap((colour) => [
    [colour, `${colour}-ground`, 4.5] as const,
    ['ink', `${colour}-ground`, 4.5] as const,
    [colour, 'surface', 4.5] as const,
  ]),
  ['on-accent', 'accent', 4.5],
  ['on-accent', 'accent-strong', 4.5],
  ['on-danger', 'danger', 4.5],
  ['on-danger', 'danger-strong', 4.5],
  ['on-tip', 'tip', 4.5],
  ...[1, 2, 3, 4].map((series) => [`series-${series}`, 'surface', 3] as const),
]

describe('the colours', () => {
  it.each(PAIRS)('%s on %s have a contrast of %d or more in both schemes', (front, back, least) => {
    for (const scheme of ['light', 'dark'] as const) {
      expect(contrast(colours.get(front)![scheme], colours.get(back)![scheme])).toBeGreaterThanOrEqual(least)
    }
  })
})
