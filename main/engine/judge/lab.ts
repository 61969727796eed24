/** CIE L*a*b* (CIE 15:2004) under D65, in which equal distances look about equally large. */

/** L* in 0 … 100, a* (green to red) and b* (blue to yellow) in about −110 … 110. */
export type Lab = readonly [lightness: number, a: number, b: number]

/** sRGB, 0 … 1. */
export type Rgb = readonly [red: number, green: number, blue: number]

/** The reference white D65, 2° observer. */
const WHITE = [0.95047, 1, 1.08883] as const

/** sRGB to CIE XYZ (IEC 61966-2-1). */
const TO_XYZ = [
  [0.4124564, 0.3575761, 0.1804375],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339, 0.119192, 0.9503041],
] as const

/** Its inverse. */
const TO_RGB = [
  [3.2404542, -1.5371385, -0.4985314],
  [-0.969266, 1.8760108, 0.041556],
  [0.0556434, -0.2040259, 1.0572252],
] as const

/** One colour. What lies outside 0 … 1 is clamped. */
export function labOf([red, green, blue]: Rgb): Lab {
  const [r, g, b] = [linear(red), linear(green), linear(blue)]
  const part = (row: readonly [number, number, number], white: number): number => response((row[0] * r + row[1] * g + row[2] * b) / white)
  const [x, y, z] = [part(TO_XYZ[0], WHITE[0]), part(TO_XYZ[1], WHITE[1]), part(TO_XYZ[2], WHITE[2])]
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
}

/** The sRGB of a Lab colour, 0 … 1; what sRGB cannot show is clamped. */
export function rgbOf([lightness, a, b]: Lab): Rgb {
  const fy = (lightness + 16) / 116
  const [x, y, z] = [WHITE[0] * unresponse(fy + a / 500), unresponse(fy), WHITE[2] * unresponse(fy - b / 200)]
  const [red, green, blue] = TO_RGB
  const level = (row: readonly [number, number, number]): number => gamma(row[0] * x + row[1] * y + row[2] * z)
  return [level(red), level(green), level(blue)]
}

/** A picture's planes [3, pixels], RGB to Lab. */
export function labPlanes(rgb: Float32Array): Float32Array {
  const pixels = rgb.length / 3
  const lab = new Float32Array(rgb.length)
  for (let i = 0; i < pixels; i++) {
    const [r, g, b] = [linear(rgb[i]!), linear(rgb[i + pixels]!), linear(rgb[i + 2 * pixels]!)]
    const x = response((TO_XYZ[0][0] * r + TO_XYZ[0][1] * g + TO_XYZ[0][2] * b) / WHITE[0])
    const y = response((TO_XYZ[1][0] * r + TO_XYZ[1][1] * g + TO_XYZ[1][2] * b) / WHITE[1])
    const z = response((TO_XYZ[2][0] * r + TO_XYZ[2][1] * g + TO_XYZ[2][2] * b) / WHITE[2])
    lab[i] = 116 * y - 16
    lab[i + pixels] = 500 * (x - y)
    lab[i + 2 * pixels] = 200 * (y - z)
  }
  return lab
}

/** ΔE*ab (1976): the Euclidean distance. About 2 is just visible. */
export function labDistance(a: Lab, b: Lab): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
}

/** The colour of one pixel of planes [3, pixels]. */
export function labAt(planes: Float32Array, pixel: number): Lab {
  const pixels = planes.length / 3
  return [planes[pixel]!, planes[pixel + pixels]!, planes[pixel + 2 * pixels]!]
}

/** ΔE*ab of every pixel of planes [3, pixels] to one colour. */
export function labDistances(planes: Float32Array, [lightness, a, b]: Lab): Float32Array {
  const pixels = planes.length / 3
  const distances = new Float32Array(pixels)
  for (let i = 0; i < pixels; i++) {
    const [dl, da, db] = [planes[i]! - lightness, planes[i + pixels]! - a, planes[i + 2 * pixels]! - b]
    distances[i] = Math.sqrt(dl * dl + da * da + db * db)
  }
  return distances
}

/** ΔE*ab of every pixel to the nearest of the colours from `from` to the given share of the way to `to`. */
export function distancesToSegment(planes: Float32Array, from: Lab, to: Lab, share: number): Float32Array {
  const pixels = planes.length / 3
  const [wl, wa, wb] = [(to[0] - from[0]) * share, (to[1] - from[1]) * share, (to[2] - from[2]) * share]
  const squared = Math.max(1e-6, wl * wl + wa * wa + wb * wb)
  const distances = new Float32Array(pixels)
  for (let i = 0; i < pixels; i++) {
    const [dl, da, db] = [planes[i]! - from[0], planes[i + pixels]! - from[1], planes[i + 2 * pixels]! - from[2]]
    const along = Math.min(1, Math.max(0, (dl * wl + da * wa + db * wb) / squared))
    const [ol, oa, ob] = [dl - along * wl, da - along * wa, db - along * wb]
    distances[i] = Math.sqrt(ol * ol + oa * oa + ob * ob)
  }
  return distances
}

/** The sRGB transfer function, undone. */
function linear(level: number): number {
  const value = Math.min(1, Math.max(0, level))
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}

/** The cube root, with a straight line where it would be too steep. */
function response(t: number): number {
  return t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 * t + 16) / 116
}

function unresponse(f: number): number {
  return f > 6 / 29 ? f ** 3 : (116 * f - 16) * 27 / 24389
}

function gamma(value: number): number {
  const level = value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055
  return Math.min(1, Math.max(0, level))
}
