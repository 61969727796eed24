import { componentsOf, maskOf, type Mask } from './connected-components.ts'
import { distancesToSegment, labAt, labDistances, type Lab } from './lab.ts'
import { distanceToOutside, holesOf, withPixels } from './morphology.ts'

/** A point in pixels. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** A picture taken apart into background and figure. */
export interface Segments {
  readonly width: number
  readonly height: number
  /** The picture in Lab, [3, pixels]. */
  readonly lab: Float32Array
  readonly background: Lab
  /** The colour in the middle of the figure. */
  readonly skin: Lab
  /** ΔE between the two. */
  readonly separation: number
  /** How far every pixel is from the background, in units of the separation: 0 there, 1 on the skin; ink and nails may exceed it. */
  readonly contrast: Float32Array
  /** How far every pixel is from the colours of skin and nails, in units of the separation. */
  readonly strangeness: Float32Array
  /** The largest figure with outline and sleeve, small holes filled. */
  readonly figure: Mask
  /** What of it is skin, without outline and sleeve. */
  readonly body: Mask
  /** The pixels of other figures, the largest first. */
  readonly strays: readonly (readonly number[])[]
  /** What was too large to be filled, the largest first. */
  readonly holes: readonly (readonly number[])[]
  /** The largest circle in the body that is also in the picture. */
  readonly palm: { readonly centre: Point; readonly radius: number }
}

/** Less than this ΔE is no figure but noise. */
const FAINTEST = 15

/** The share of the skin's contrast from which a pixel belongs to the figure: low enough that what is half faded is still seen. */
const FIGURE_CONTRAST = 0.42

/** How far off the colours of skin and nails still passes for them, in units of the separation. */
export const SKIN_TOLERANCE = 0.35

/** A nail is lighter than the skin: up to this share of the way to white. */
const LIGHTEST_NAIL = 0.6
const WHITE: Lab = [100, 0, 0]

/** Less than this share of the skin's lightness is an outline's, however near the two are. */
const DARKER_THAN_SKIN = 0.62

/** Skin of less lightness is hardly lighter than ink. */
export const DARK = 30

/** Holes up to this many pixels are marks on the skin that happen to look like the background. */
const LARGEST_MARK = 12

/**
 * Takes a picture apart; null where nothing stands out from the background.
 * @param lab the picture, [3, height, width]
 */
export function segment(lab: Float32Array, background: Lab, width: number, height: number): Segments | null {
  const distances = labDistances(lab, background)
  const threshold = Math.max(FAINTEST, otsu(distances))
  const first = largest(maskWhere(distances, threshold, width, height))
  if (first === null) return null
  const skin = medianColour(lab, pixelsWithin(palmOf(first), 0.7, width))
  const separation = labDistances(Float32Array.from(skin), background)[0]!
  if (separation < FAINTEST) return null
  const contrast = distances.map((distance) => distance / separation)
  const [main, ...strays] = componentsOf(maskWhere(contrast, FIGURE_CONTRAST, width, height), 4)
  if (main === undefined) return null
  const open = maskOf(main, width, height)
  const holes = holesOf(open)
  const figure = withPixels(open, holes.filter(({ length }) => length <= LARGEST_MARK).flat())
  const strangeness = distancesToSegment(lab, darkestOf(skin), WHITE, LIGHTEST_NAIL).map((distance) => distance / separation)
  const body = bodyOf(figure, strangeness)
  return {
    width, height, lab, background, skin, separation, contrast, strangeness, figure, body, strays,
    holes: holes.filter(({ length }) => length > LARGEST_MARK),
    palm: palmOf(body),
  }
}

/**
 * The same with outlines left out that are hardly darker than the skin: fingers that they join come apart, but noise may fray
 * them. Null for lighter skin, where it makes no difference.
 */
export function withoutDarkOutline(segments: Segments): Segments | null {
  const { lab, skin, figure } = segments
  if (skin[0] >= DARK) return null
  const strangeness = segments.strangeness.map((strange, i) => (lab[i]! < DARKER_THAN_SKIN * skin[0] ? Math.max(1, strange) : strange))
  const body = bodyOf(figure, strangeness)
  return { ...segments, strangeness, body, palm: palmOf(body) }
}

/** An outline that is hardly darker than the skin counts as skin. */
function darkestOf(skin: Lab): Lab {
  return skin[0] < DARK ? [skin[0] * 0.2, skin[1] * 0.4, skin[2] * 0.4] : skin
}

/** The largest part of the figure that has the skin's colour, with the creases in it: they are enclosed, as outlines are not. */
function bodyOf(figure: Mask, strangeness: Float32Array): Mask {
  const { width, height } = figure
  const skin = { width, height, data: figure.data.map((inside, i) => (inside === 1 && strangeness[i]! < SKIN_TOLERANCE ? 1 : 0)) }
  const main = largest(skin) ?? figure
  return withPixels(main, holesOf(main).filter((hole) => hole.every((pixel) => figure.data[pixel] === 1)).flat())
}

/** The median colour of the border's upper part. Arms reach in from below, so the bottom and what is next to it are left out. */
export function backgroundOf(lab: Float32Array, width: number, height: number): Lab {
  return medianColour(lab, backgroundBorder(width, height))
}

/** The pixels of the top and of the upper three quarters of both sides, two wide. */
export function backgroundBorder(width: number, height: number): number[] {
  const pixels: number[] = []
  for (let i = 0; i < 2 * width; i++) pixels.push(i)
  for (let y = 2; y < 0.75 * height; y++) for (const x of [0, 1, width - 2, width - 1]) pixels.push(y * width + x)
  return pixels
}

/** The median of each coordinate. */
export function medianColour(lab: Float32Array, pixels: readonly number[]): Lab {
  const colours = pixels.map((pixel) => labAt(lab, pixel))
  return [median(colours.map(([l]) => l)), median(colours.map(([, a]) => a)), median(colours.map(([, , b]) => b))]
}

/** The middle value, the upper of two; NaN of none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}

/**
 * The threshold between two heaps of values that leaves the least variance within them, which is the most between them:
 * w₀ w₁ (μ₀ − μ₁)² (Otsu 1979).
 */
export function otsu(values: Float32Array, bins = 64): number {
  const top = values.reduce((a, b) => Math.max(a, b), 1e-6)
  const counts = new Float64Array(bins)
  for (const value of values) counts[Math.min(bins - 1, Math.floor((value / top) * bins))]! += 1
  const total = counts.reduce((sum, count, bin) => sum + count * bin, 0)
  let [best, most, below, sumBelow] = [0, -1, 0, 0]
  for (let bin = 0; bin < bins - 1; bin++) {
    below += counts[bin]!
    sumBelow += counts[bin]! * bin
    const above = values.length - below
    if (below === 0 || above === 0) continue
    const between = below * above * (sumBelow / below - (total - sumBelow) / above) ** 2
    if (between > most) [best, most] = [bin, between]
  }
  return ((best + 1) / bins) * top
}

function maskWhere(values: Float32Array, threshold: number, width: number, height: number): Mask {
  const data = new Uint8Array(values.length)
  for (let i = 0; i < values.length; i++) if (values[i]! > threshold) data[i] = 1
  return { width, height, data }
}

function largest(mask: Mask): Mask | null {
  const [main] = componentsOf(mask, 4)
  return main === undefined ? null : maskOf(main, mask.width, mask.height)
}

/** The largest circle in a mask and in the picture. Where several are about as large, the one in their middle. */
function palmOf(body: Mask): Segments['palm'] {
  const { width, height } = body
  const inside = distanceToOutside(body)
  let radius = 0
  for (let i = 0; i < inside.length; i++) {
    const [column, row] = [i % width, Math.floor(i / width)]
    inside[i] = Math.min(inside[i]!, column + 1, width - column, row + 1, height - row)
    radius = Math.max(radius, inside[i]!)
  }
  let [count, x, y] = [0, 0, 0]
  for (let i = 0; i < inside.length; i++) {
    if (inside[i]! < radius - 0.75) continue
    count++
    x += i % width
    y += Math.floor(i / width)
  }
  return { centre: { x: x / count, y: y / count }, radius }
}

/** The pixels of a circle, shrunk. */
function pixelsWithin({ centre, radius }: Segments['palm'], share: number, width: number): number[] {
  const reach = Math.max(0.8, radius * share)
  const pixels: number[] = []
  for (let y = Math.ceil(centre.y - reach); y <= centre.y + reach; y++) {
    for (let x = Math.ceil(centre.x - reach); x <= centre.x + reach; x++) {
      if (Math.hypot(x - centre.x, y - centre.y) <= reach) pixels.push(y * width + x)
    }
  }
  return pixels
}
