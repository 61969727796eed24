import type { FloatTensor } from '../tensor/tensor.ts'
import { colourName, skinName, type ColourName, type SkinName } from './colour-names.ts'
import { countFingers, type Fingers } from './count-fingers.ts'
import { faultsOf, looksLikeHand, type Fault } from './ill-formed.ts'
import { labAt, labPlanes, rgbOf, type Rgb } from './lab.ts'
import { backgroundOf, DARK, segment, withoutDarkOutline, type Segments } from './segment.ts'

/** Width and height that pictures are judged in. */
export const JUDGED_SIZE = 64

/** The least difference of angles, in degrees, that tells the thumb. */
const LEAST_LEAD = 2

/** How much less lightness than skin and background makes an outline. */
const DARKER = 10

/** What the judge sees in a picture. */
export interface Verdict {
  /** Fingers with the thumb, as far as any can be told apart; 0 without a hand. */
  readonly fingers: number
  /** A single whole hand with 2 to 8 sharp, separate fingers on a plain background. */
  readonly wellFormed: boolean
  /** A palm with fingers, well drawn or not. */
  readonly isHand: boolean
  /** What keeps it from being well-formed, the gravest first. */
  readonly faults: readonly Fault[]
  readonly background: ColourName
  /** The skin's colour, sRGB 0 … 1, and what it is called; null without a figure or where no skin has that colour. */
  readonly skin: Rgb | null
  readonly skinName: SkinName | null
  /** The side of the picture that the thumb is on; null where it cannot be told. */
  readonly thumbSide: 'left' | 'right' | null
  /** Whether the hand has a dark outline; null where background or skin is too dark to tell. */
  readonly outlined: boolean | null
}

/**
 * Judges one picture by classical image analysis: background and skin by colour, fingers by how far the hand reaches from its palm.
 * It knows nothing of how pictures are drawn or of any network that rates them.
 * @param rgb [3, 64, 64] in [0, 1]. Throws RangeError for another count of numbers.
 */
export function judgePicture(rgb: Float32Array): Verdict {
  if (rgb.length !== 3 * JUDGED_SIZE ** 2) throw new RangeError(`The judge takes pictures [3, 64, 64], not ${rgb.length} numbers`)
  const lab = labPlanes(rgb)
  const background = backgroundOf(lab, JUDGED_SIZE, JUDGED_SIZE)
  const segments = segment(lab, background, JUDGED_SIZE, JUDGED_SIZE)
  if (segments === null) return nothingBut(colourName(background))
  const { found, faults, isHand } = bestReading(segments)
  return {
    fingers: isHand ? found.fingers.length : 0,
    wellFormed: faults.length === 0,
    isHand,
    faults,
    background: colourName(background),
    skin: rgbOf(segments.skin),
    skinName: skinName(segments.skin),
    thumbSide: isHand ? thumbSideOf(found) : null,
    outlined: isHand ? isOutlined(segments) : null,
  }
}

/** Judges each of pictures [b, 3, 64, 64] in [0, 1]. Throws RangeError for other shapes. */
export function judgePictures(pictures: FloatTensor): Verdict[] {
  const [count = 0, ...shape] = pictures.shape
  if (shape.join() !== `3,${JUDGED_SIZE},${JUDGED_SIZE}`) {
    throw new RangeError(`The judge takes pictures [b, 3, 64, 64], not [${pictures.shape.join(', ')}]`)
  }
  const length = 3 * JUDGED_SIZE ** 2
  return Array.from({ length: count }, (_, i) => judgePicture(pictures.data.subarray(i * length, (i + 1) * length)))
}

interface Reading {
  readonly found: Fingers
  readonly faults: readonly Fault[]
  readonly isHand: boolean
}

/** Where skin and outline are both dark, they are told apart or not, whichever leaves the least to object to. */
function bestReading(segments: Segments): Reading {
  const apart = withoutDarkOutline(segments)
  const together = read(segments)
  if (apart === null) return together
  const reading = read(apart)
  return together.faults.length < reading.faults.length ? together : reading
}

function read(segments: Segments): Reading {
  const found = countFingers(segments)
  return { found, faults: faultsOf(segments, found), isHand: looksLikeHand(segments, found) }
}

function nothingBut(background: ColourName): Verdict {
  return {
    fingers: 0, wellFormed: false, isHand: false, faults: ['nothing stands out from the background'],
    background, skin: null, skinName: null, thumbSide: null, outlined: null,
  }
}

/** The thumb stands further from the hand's direction than the finger at the other end of the fan does. */
function thumbSideOf({ fingers, axis }: Fingers): Verdict['thumbSide'] {
  const [first, last] = [fingers[0], fingers.at(-1)]
  if (first === undefined || last === undefined) return null
  const lead = (axis - first.angle) - (last.angle - axis)
  return Math.abs(lead) < LEAST_LEAD ? null : lead > 0 ? 'left' : 'right'
}

/** Whether a good share of the figure's edge is much darker than both the skin and the background. */
function isOutlined({ lab, skin, background, figure: { width, height, data }, palm: { centre, radius } }: Segments): boolean | null {
  if (Math.min(skin[0], background[0]) < DARK) return null
  const limit = Math.min(skin[0], background[0]) - DARKER
  let [edge, dark] = [0, 0]
  for (let pixel = width; pixel < data.length - width; pixel++) {
    const [x, y] = [pixel % width, Math.floor(pixel / width)]
    // A sleeve may be dark as well.
    if (x === 0 || x === width - 1 || y > centre.y + radius || y >= height - 1 || data[pixel] === 0) continue
    if (data[pixel - 1] === 1 && data[pixel + 1] === 1 && data[pixel - width] === 1 && data[pixel + width] === 1) continue
    edge++
    if (Math.min(...[0, -1, 1, -width, width].map((step) => labAt(lab, pixel + step)[0])) < limit) dark++
  }
  return dark > 0.5 * edge
}
