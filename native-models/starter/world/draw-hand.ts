import { COLOURS, SKINS, type Rgb } from './colours.ts'
import type { FingerCount, Hand } from './hand.ts'

/** Width and height of a drawing in pixels. */
export const DRAWING_SIZE = 64

/** A segment with round ends, in units of about a pixel relative to the palm's centre, y upwards, thumb to the left. */
interface Capsule {
  readonly from: Point
  readonly to: Point
  readonly radius: number
}
type Point = readonly [x: number, y: number]

const PALM: Capsule = { from: [0, -3.5], to: [0, 1], radius: 9.6 }
const WRIST: Capsule = { from: [0, -6], to: [0, -40], radius: 6.6 }
const SLEEVE: Capsule = { from: [0, -24], to: [0, -46], radius: 9 }

/** Pixels per unit of the shapes above: as large as a hand with seven fingers can be. */
const UNIT = 1.16

/** Where the palm's centre lies in the picture. */
const CENTRE: Point = [32, 39]

/** From the middle of the fan to the thumb, in degrees. */
const THUMB_ANGLE = 78
const THUMB_REACH = 20.5
const FINGER_REACH = 25

/** The angle between the outermost fingers beside the thumb, in degrees; more of them need more room. */
const FANS: Readonly<Record<FingerCount, number>> = { 3: 34, 4: 58, 5: 80, 6: 98, 7: 112 }
const FINGER_RADII: Readonly<Record<FingerCount, number>> = { 3: 2.7, 4: 2.7, 5: 2.7, 6: 2.45, 7: 2.25 }

/** Half the width of an outline. */
const OUTLINE = 0.75
const INK: Rgb = [24, 18, 22]

/** How far `tint` moves a colour's lightness, in levels. */
const TINT = 8

/**
 * Draws a hand, 64 × 64.
 * @returns RGB [3, 64, 64] in [0, 1], channel by channel, anti-aliased
 */
export function drawHand(hand: Hand): Float32Array {
  const parts = shapesOf(hand)
  const place = placement(hand)
  const skin = tinted(SKINS[hand.skin], hand.tint[0])
  const background = tinted(COLOURS[hand.background], hand.tint[1])
  const shade = skin.map((level) => level * 0.72)
  const light = skin.map((level) => level + (255 - level) * 0.45)
  const picture = new Float32Array(3 * DRAWING_SIZE ** 2)

  for (let row = 0; row < DRAWING_SIZE; row++) {
    for (let column = 0; column < DRAWING_SIZE; column++) {
      const point = place(column + 0.5, row + 0.5)
      const body = distance(point, parts.body)
      const sleeve = hand.sleeve === null ? Infinity : distance(point, [SLEEVE])
      let colour: readonly number[] = background
      colour = blend(colour, skin, coverage(body))
      if (hand.view === 'palm') colour = blend(colour, shade, coverage(Math.max(distance(point, parts.marks), body)))
      else colour = blend(colour, light, coverage(distance(point, parts.marks)))
      if (hand.sleeve !== null) colour = blend(colour, COLOURS[hand.sleeve], coverage(sleeve))
      if (hand.style === 'outlined') colour = blend(colour, INK, coverage(Math.abs(Math.min(body, sleeve)) - OUTLINE))
      const pixel = row * DRAWING_SIZE + column
      colour.forEach((level, channel) => (picture[channel * DRAWING_SIZE ** 2 + pixel] = level / 255))
    }
  }
  return picture
}

/** The hand's outline, and what is drawn on it: creases on the palm, nails on the back. */
function shapesOf({ fingers, pose, view, lengths }: Hand): { readonly body: readonly Capsule[]; readonly marks: readonly Capsule[] } {
  const radius = FINGER_RADII[fingers]
  const fan = FANS[fingers] * (pose === 'spread' ? 1.08 : 1)
  const count = fingers - 1
  const capsules = Array.from({ length: count }, (_, i): Capsule => {
    const angle = -fan / 2 + (fan * i) / (count - 1)
    // The middle of the fan reaches furthest; a pointing hand has its first finger out and the others drawn in.
    const arch = -1.5 * (2 * i / (count - 1) - 1) ** 2
    const pointing = pose === 'pointing' ? (i === 0 ? 2 : -3) : 0
    return finger(angle, FINGER_REACH + arch + pointing + (lengths[i + 1] ?? 0), radius)
  })
  const thumb = finger(-THUMB_ANGLE, THUMB_REACH + (lengths[0] ?? 0), radius + 0.3)
  const all = [thumb, ...capsules]
  return { body: [PALM, WRIST, ...all], marks: view === 'palm' ? CREASES : all.map(nail) }
}

const CREASES: readonly Capsule[] = [
  { from: [-6, 2.5], to: [5.5, 1], radius: 0.6 },
  { from: [-5, -1], to: [2, -8], radius: 0.6 },
]

/** A finger from the palm's centre. @param angle degrees from straight up, clockwise @param reach to its tip */
function finger(angle: number, reach: number, radius: number): Capsule {
  const [x, y] = direction(angle)
  return { from: [0, 0], to: [x * (reach - radius), y * (reach - radius)], radius }
}

/** A small light patch at a finger's tip. */
function nail({ to: [x, y], radius }: Capsule): Capsule {
  const length = Math.hypot(x, y)
  const at = (back: number): Point => [x * (1 - back / length), y * (1 - back / length)]
  return { from: at(-0.6), to: at(1), radius: radius * 0.5 }
}

function direction(angle: number): Point {
  const radians = (angle * Math.PI) / 180
  return [Math.sin(radians), Math.cos(radians)]
}

/** From picture coordinates to the hand's own. A left palm has its thumb on the left; its back, and a right palm, on the right. */
function placement({ side, view, rotation, scale, shift }: Hand): (x: number, y: number) => Point {
  const radians = (rotation * Math.PI) / 180
  const [cos, sin] = [Math.cos(radians) / (UNIT * scale), Math.sin(radians) / (UNIT * scale)]
  const mirror = (side === 'left') === (view === 'palm') ? 1 : -1
  return (column, row) => {
    const [x, y] = [column - CENTRE[0] - shift[0], CENTRE[1] + shift[1] - row]
    return [mirror * (x * cos - y * sin), x * sin + y * cos]
  }
}

/** Signed distance in units to the union of capsules; negative inside. */
function distance([x, y]: Point, capsules: readonly Capsule[]): number {
  let nearest = Infinity
  for (const { from, to, radius } of capsules) {
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]]
    const [px, py] = [x - from[0], y - from[1]]
    const along = Math.min(1, Math.max(0, (px * dx + py * dy) / (dx * dx + dy * dy)))
    const [ox, oy] = [px - along * dx, py - along * dy]
    // Not Math.hypot, which is several times slower.
    nearest = Math.min(nearest, Math.sqrt(ox * ox + oy * oy) - radius)
  }
  return nearest
}

/** The share of a pixel that lies inside, for a border at this distance from its middle. */
function coverage(signed: number): number {
  return Math.min(1, Math.max(0, 0.5 - signed))
}

function blend(under: readonly number[], over: readonly number[], share: number): readonly number[] {
  return share === 0 ? under : under.map((level, i) => level + (over[i]! - level) * share)
}

function tinted(colour: Rgb, tint: number): readonly number[] {
  return colour.map((level) => Math.min(255, Math.max(0, level + TINT * tint)))
}
