import type { Finger, Fingers } from './count-fingers.ts'
import { distanceToOutside } from './morphology.ts'
import { backgroundBorder, median, SKIN_TOLERANCE, type Segments } from './segment.ts'

/** What can be wrong with a picture of a hand. */
export type Fault =
  | 'nothing stands out from the background'
  | 'the background is not plain'
  | 'it is no hand'
  | 'too few fingers'
  | 'too many fingers'
  | 'no arm'
  | 'something beside the hand'
  | 'a hole in the hand'
  | 'an uneven palm'
  | 'a faded or strange part'
  | 'a stub'
  | 'a faded finger'
  | 'fused fingers'
  | 'a blurred finger'
  | 'an uneven finger'

/** A palm's radius as a share of the picture's width; outside, whatever it is, it is no hand in the usual size. */
const PALM = [0.1, 0.3] as const

/** The share of the picture that a hand covers. */
const COVERED = [0.1, 0.6] as const

/** A hand has some fingers that stand alone for so many pixels; the corners of other things do not. */
const FREE = 3

const FEWEST = 2
const MOST = 8

/** Pixels from which on a thing of its own is no accident. */
const STRAY = 9

/** The share of the skin's contrast from which on something can be seen; */
const FAINT = 0.2

/** and, where noise should not be, with a margin for it. */
const VISIBLE = 0.25

/** Lightness of outlines at most, which run together where fingers begin. */
const INK = 20

/** What reaches this far from its edge, in pixels, in so many pixels, is thicker than an outline. */
const THICK = 2.2
const PATCH = 6

/** The contrast from which on a pixel of the border differs from the background, and the share of the border that may. */
const UNEVEN = 0.3
const BORDER = 0.12

/** The share of a finger's middle line, and of the palm, that may have another colour than skin. */
const OFF_COLOUR = 0.2

/** In pixels. On a light background a faded finger has the colour of a nail, and only its length tells. */
const LONGEST_NAIL = 7

/** An edge of σ pixels' blur changes by 0.4 / σ per pixel at most. */
const LEAST_SHARPNESS = 0.26

/** A finger's width beside the middle one of all, and beside the palm's radius. */
const WIDTHS = [0.6, 1.55] as const
const WIDEST = 0.95

/** Fingers at an angle meet at a radius that follows from their width; where they meet this much further out, they are fused. */
const FUSED = 1.3

/** What is wrong with a picture, the gravest first; nothing for a hand that is drawn as it should be. */
export function faultsOf(segments: Segments, found: Fingers): Fault[] {
  const { fingers } = found
  const checks: readonly (readonly [Fault, boolean])[] = [
    ['it is no hand', !looksLikeHand(segments, found)],
    ['the background is not plain', !hasPlainBackground(segments)],
    ['too few fingers', fingers.length < FEWEST],
    ['too many fingers', fingers.length > MOST],
    ['no arm', !hasArm(segments)],
    ['something beside the hand', segments.strays.some((stray) => stray.length >= STRAY && !isBelow(segments, stray))],
    ['a hole in the hand', segments.holes.length > 0],
    ['an uneven palm', !hasEvenPalm(segments)],
    ['a faded or strange part', hasStrangePart(segments)],
    ['a stub', found.stubs > 0],
    ['a faded finger', fingers.some(({ discoloured, lightened }) => discoloured > OFF_COLOUR || lightened > LONGEST_NAIL)],
    ['fused fingers', hasFusedFingers(fingers, segments.palm.radius)],
    ['a blurred finger', fingers.some(({ sharpness }) => sharpness < LEAST_SHARPNESS)],
    ['an uneven finger', hasUnevenFinger(fingers)],
  ]
  return checks.filter(([, holds]) => holds).map(([fault]) => fault)
}

/** Whether this is a hand at all, well drawn or not: a palm in the usual size with fingers on it. */
export function looksLikeHand({ width, height, palm, figure }: Segments, { fingers }: Fingers): boolean {
  const covered = figure.data.reduce((sum, inside) => sum + inside, 0) / (width * height)
  const isPalm = palm.radius >= PALM[0] * width && palm.radius <= PALM[1] * width
  return isPalm && covered >= COVERED[0] && covered <= COVERED[1] && fingers.filter(({ free }) => free >= FREE).length >= FEWEST
}

function hasPlainBackground({ contrast, width, height }: Segments): boolean {
  const border = backgroundBorder(width, height)
  return border.filter((pixel) => contrast[pixel]! > UNEVEN).length <= BORDER * border.length
}

/** An arm leaves the picture at its bottom; a sleeve may resemble the background, so faint contrast is enough. */
function hasArm({ contrast, width, height }: Segments): boolean {
  let count = 0
  for (let x = 0; x < width; x++) if (contrast[(height - 2) * width + x]! > FAINT) count++
  return count >= width / 10
}

/** Whether something lies below the palm, where a sleeve may look like a thing of its own. */
function isBelow({ palm: { centre, radius }, width }: Segments, pixels: readonly number[]): boolean {
  return pixels.every((pixel) => {
    const [dx, dy] = [(pixel % width) - centre.x, Math.floor(pixel / width) - centre.y]
    return dy > radius && Math.abs(dx) < dy
  })
}

/** Creases take some of a palm, but never much. */
function hasEvenPalm({ palm: { centre, radius }, strangeness, width, height }: Segments): boolean {
  let [seen, strange] = [0, 0]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (Math.hypot(x - centre.x, y - centre.y) > radius - 1) continue
      seen++
      if (strangeness[y * width + x]! > SKIN_TOLERANCE) strange++
    }
  }
  return strange <= OFF_COLOUR * seen
}

/**
 * Whether something can be seen that is not skin and thicker than an outline: a finger half faded, a shadow of one, a patch of
 * another colour. Sleeves are let pass.
 */
function hasStrangePart(segments: Segments): boolean {
  const { lab, contrast, strangeness, body, width, height } = segments
  const strange = body.data.map((inside, i) =>
    (inside === 0 && contrast[i]! > VISIBLE && strangeness[i]! > SKIN_TOLERANCE && lab[i]! > INK ? 1 : 0))
  const depth = distanceToOutside({ width, height, data: strange })
  return depth.reduce((count, distance, i) => (distance >= THICK && !isBelow(segments, [i]) ? count + 1 : count), 0) >= PATCH
}

/** One that is as wide as two, or two that part later than fingers of their width at their angle would. */
function hasFusedFingers(fingers: readonly Finger[], palm: number): boolean {
  const typical = middleWidth(fingers)
  if (Number.isNaN(typical)) return true
  if (fingers.some(({ width }) => width !== null && (width > WIDTHS[1] * typical || width > WIDEST * palm))) return true
  return fingers.some((finger, i) => {
    const next = fingers[i + 1]
    if (next === undefined) return false
    const apart = ((next.angle - finger.angle) * Math.PI) / 180
    // Two middle lines that part at the palm's centre are w apart at the radius w / (2 sin ½ angle). A gap of a pixel can be seen.
    const parting = (typical + 1) / (2 * Math.sin(apart / 2))
    const meeting = Math.min(finger.tipRadius, next.tipRadius) - Math.min(finger.free, next.free)
    return meeting > FUSED * Math.max(parting, palm)
  })
}

function hasUnevenFinger(fingers: readonly Finger[]): boolean {
  const typical = middleWidth(fingers)
  return fingers.some(({ width }) => width !== null && width < WIDTHS[0] * typical)
}

function middleWidth(fingers: readonly Finger[]): number {
  const widths = fingers.map(({ width }) => width).filter((width) => width !== null).sort((a, b) => a - b)
  // The lower of two: of a finger and a fused pair, the finger.
  return median(widths.slice(0, widths.length - (widths.length % 2 === 0 ? 1 : 0)))
}
