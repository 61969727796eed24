import { proportion, type Proportion } from '../statistics/proportion.ts'
import type { ColourName, SkinName } from './colour-names.ts'
import type { Verdict } from './judge-picture.ts'
import { labOf } from './lab.ts'

/** What the judge sees in many pictures. Shares come with Wilson's 95 % interval. */
export interface Summary {
  readonly pictures: number
  /** Pictures by number of fingers, well-formed or not; 0 counts those without a hand. */
  readonly counts: Readonly<Record<number, number>>
  /** Well-formed pictures by number of fingers. */
  readonly wellFormedCounts: Readonly<Record<number, number>>
  readonly wellFormed: Proportion
  readonly noHand: Proportion
  readonly spread: Spread
}

/** How different the pictures are from one another in what nobody asked to change. */
export interface Spread {
  readonly thumbSides: Readonly<Partial<Record<'left' | 'right' | 'unknown', number>>>
  readonly backgrounds: Readonly<Partial<Record<ColourName, number>>>
  readonly skins: Readonly<Partial<Record<SkinName | 'unknown', number>>>
  /** Standard deviation of the skin's lightness, L*. */
  readonly skinLightness: number
  /** Spread of the skin's hue in degrees: √(−2 ln R), the circular standard deviation, R being the length of the mean direction. */
  readonly skinHue: number
}

export function summarise(verdicts: readonly Verdict[]): Summary {
  const wellFormed = verdicts.filter((verdict) => verdict.wellFormed)
  const countsOf = (some: readonly Verdict[]): Record<number, number> => tally(some.map(({ fingers }) => fingers))
  return {
    pictures: verdicts.length,
    counts: countsOf(verdicts),
    wellFormedCounts: countsOf(wellFormed),
    wellFormed: rate(verdicts, (verdict) => verdict.wellFormed),
    noHand: rate(verdicts, ({ isHand }) => !isHand),
    spread: spreadOf(verdicts),
  }
}

/** The share of verdicts for which something holds. */
export function rate(verdicts: readonly Verdict[], holds: (verdict: Verdict) => boolean): Proportion {
  return proportion(verdicts.filter(holds).length, verdicts.length)
}

function spreadOf(verdicts: readonly Verdict[]): Spread {
  const skins = verdicts.map(({ skin }) => skin).filter((skin) => skin !== null).map(labOf)
  return {
    thumbSides: tally(verdicts.map(({ thumbSide }) => thumbSide ?? 'unknown')),
    backgrounds: tally(verdicts.map(({ background }) => background)),
    skins: tally(verdicts.map(({ skinName }) => skinName ?? 'unknown')),
    skinLightness: standardDeviation(skins.map(([lightness]) => lightness)),
    skinHue: circularDeviation(skins.map(([, a, b]) => Math.atan2(b, a))),
  }
}

function tally<K extends string | number>(keys: readonly K[]): Record<K, number> {
  const counts = new Map<K, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return Object.fromEntries(counts) as Record<K, number>
}

function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1))
}

/** @param angles in radians @returns degrees */
function circularDeviation(angles: readonly number[]): number {
  if (angles.length < 2) return 0
  const [x, y] = [Math.cos, Math.sin].map((f) => angles.reduce((sum, angle) => sum + f(angle), 0) / angles.length)
  const length = Math.min(1, Math.hypot(x!, y!))
  return (Math.sqrt(-2 * Math.log(length)) * 180) / Math.PI
}
