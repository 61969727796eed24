import { profileOf, type FingerProfile } from './finger-profile.ts'
import { radialPeaks, type Peak } from './radial-peaks.ts'
import type { Point, Segments } from './segment.ts'

export interface Finger extends FingerProfile {
  /** Degrees, clockwise from straight up. */
  readonly angle: number
  /** Beyond the palm's circle, in pixels. */
  readonly length: number
  /** How much of that touches no other finger. */
  readonly free: number
  /** The finger that it meets on its way to the palm, if any, by its place in the list, and how far from the palm's centre. */
  readonly saddle: number
  readonly tipRadius: number
}

/** What reaches away from the palm. */
export interface Fingers {
  /** By angle, from left to right over the top. */
  readonly fingers: readonly Finger[]
  /** What is too short for a finger and too long for nothing. */
  readonly stubs: number
  /** The hand's upward direction, in degrees clockwise from straight up, by where its arm leaves the picture. */
  readonly axis: number
}

/** What reaches no more than this beyond its neighbourhood, in pixels, may be the edge of a pixel. */
const BUMP = 1.25

/** A finger stands out by so much, in pixels, */
const FINGER = 2.6

/** or a little less, when its tip is beside no other's, in degrees. */
const APART = 12

/** A finger reaches at least so far from the palm's centre, in radii of the palm: the corners of a square palm reach √2. */
const FAR_OUT = 1.45

/** What points this much downwards, in degrees from straight up, is the arm. */
const ARM = 125

/** How much of a finger, in pixels, tells where its tip is. */
const TIP = 3.5

/** The palm's circle, enlarged so that the webs between fingers are in it. */
const PALM = 1.12

/** Finds the fingers of a hand. */
export function countFingers(segments: Segments): Fingers {
  const { palm, body } = segments
  const reaching = radialPeaks(body, palm.centre, BUMP)
    .map((peak) => ({ ...peak, towards: directionOf(segments, peak) }))
    .map((peak) => ({ ...peak, angle: angleOf(peak.towards) }))
    .filter(({ angle }) => Math.abs(angle) < ARM)
    .map((peak) => ({ ...peak, standsOut: peak.tipRadius - Math.max(peak.saddleRadius, palm.radius * PALM) }))
    .filter(({ standsOut, tipRadius }) => standsOut >= BUMP && tipRadius >= FAR_OUT * palm.radius)
  const found: typeof reaching = []
  for (const peak of reaching) {
    const apart = found.every(({ angle }) => Math.abs(angle - peak.angle) >= APART)
    if (peak.standsOut >= FINGER || apart) found.push(peak)
  }
  const from = palm.radius * PALM
  const fingers = found.toSorted((a, b) => a.angle - b.angle).map(({ towards, angle, tipRadius, baseRadius, saddleRadius }): Finger => {
    const alone = Math.max(from, baseRadius)
    return {
      angle, tipRadius, saddle: saddleRadius, length: tipRadius - from, free: tipRadius - alone,
      ...profileOf(segments, towards, from, alone, tipRadius),
    }
  })
  return { fingers, stubs: reaching.length - found.length, axis: axisOf(segments) }
}

/** From the palm's centre to the middle of what is within a few pixels of a tip. */
function directionOf({ body, palm: { centre } }: Segments, { tip, tipRadius, baseRadius }: Peak): Point {
  const least = Math.max(baseRadius, tipRadius - TIP)
  const offset = (pixel: number): Point => ({ x: (pixel % body.width) - centre.x, y: Math.floor(pixel / body.width) - centre.y })
  const reached = new Set([tip])
  let [x, y] = [0, 0]
  // The set grows while it is walked.
  for (const pixel of reached) {
    const here = offset(pixel)
    x += here.x
    y += here.y
    for (const step of [-1, 1, -body.width, body.width]) {
      const { x: dx, y: dy } = offset(pixel + step)
      // A step off one side of the picture lands on the other.
      if (Math.abs(dx - here.x) > 1) continue
      if (body.data[pixel + step] === 1 && Math.hypot(dx, dy) > least) reached.add(pixel + step)
    }
  }
  const length = Math.hypot(x, y)
  return { x: x / length, y: y / length }
}

function angleOf({ x, y }: Point): number {
  return (Math.atan2(x, -y) * 180) / Math.PI
}

/** From the middle of the arm where it leaves the picture, or where it ends in a sleeve like the background, to the palm. */
function axisOf({ figure: { width, height, data }, palm: { centre } }: Segments): number {
  for (let y = height - 1; y > centre.y; y--) {
    const row = data.subarray(y * width, (y + 1) * width)
    const [first, last] = [row.indexOf(1), row.lastIndexOf(1)]
    if (first !== -1) return angleOf({ x: centre.x - (first + last) / 2, y: centre.y - y })
  }
  return 0
}
