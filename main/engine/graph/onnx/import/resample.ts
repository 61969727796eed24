export type ResizeMode = 'nearest' | 'linear' | 'cubic'
export type CoordinateMode = 'half_pixel' | 'half_pixel_symmetric' | 'pytorch_half_pixel' | 'align_corners' | 'asymmetric'
export type NearestMode = 'round_prefer_floor' | 'round_prefer_ceil' | 'floor' | 'ceil'

/** How one axis of `size` elements is resampled to `target` (ONNX operator Resize). */
export interface AxisSampling {
  readonly size: number
  readonly target: number
  /** target / size, unless the file says otherwise. */
  readonly scale: number
  readonly mode: ResizeMode
  readonly coordinates: CoordinateMode
  readonly rounding: NearestMode
  /** Coefficient a of cubic convolution. */
  readonly cubicA: number
  /** Whether samples outside the axis weigh nothing, instead of repeating the edge. */
  readonly excludeOutside: boolean
  /** Whether the filter is widened when the axis shrinks. */
  readonly antialias: boolean
}

/**
 * Where element i of the result lies on the axis it is sampled from. In single precision, as runtimes compute it: a position that
 * falls on an element must be rounded to the same side as theirs.
 */
export function coordinate({ size, target, scale, coordinates }: AxisSampling, i: number): number {
  const halfPixel = Math.fround(Math.fround((i + 0.5) / Math.fround(scale)) - 0.5)
  switch (coordinates) {
    case 'half_pixel':
      return halfPixel
    case 'pytorch_half_pixel':
      return target > 1 ? halfPixel : 0
    case 'align_corners':
      return target > 1 ? Math.fround((i * (size - 1)) / (target - 1)) : 0
    case 'asymmetric':
      return Math.fround(i / Math.fround(scale))
    // As half_pixel, about the centre of the exact (fractional) result.
    case 'half_pixel_symmetric':
      return (size / 2) * (1 - target / (scale * size)) + halfPixel
  }
}

/** The element each element of the result is a copy of. */
export function sampleNearest(sampling: AxisSampling): number[] {
  return Array.from({ length: sampling.target }, (_, i) => clamp(ROUND[sampling.rounding](coordinate(sampling, i)), sampling.size))
}

const ROUND: Readonly<Record<NearestMode, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
}

/** The matrix [size, target], row-major, whose column i weighs the elements that element i of the result is mixed from. */
export function sampleMatrix(sampling: AxisSampling): number[] {
  const { size, target } = sampling
  const matrix = new Array<number>(size * target).fill(0)
  for (let i = 0; i < target; i++) {
    for (const [source, weight] of taps(sampling, coordinate(sampling, i))) {
      const at = clamp(source, size) * target + i
      matrix[at] = matrix[at]! + weight
    }
  }
  return matrix
}

/** The elements around a position and their weights, which sum to 1. */
function taps(sampling: AxisSampling, position: number): [number, number][] {
  const { size, mode, antialias, excludeOutside } = sampling
  const radius = mode === 'linear' ? 1 : 2
  const shrink = antialias ? Math.min(sampling.scale, 1) : 1
  const from = Math.ceil(position - radius / shrink)
  const to = Math.floor(position + radius / shrink)
  const all = Array.from({ length: to - from + 1 }, (_, k): [number, number] => [
    from + k,
    filter(sampling, (from + k - position) * shrink),
  ])
  const inside = excludeOutside ? all.filter(([source]) => source >= 0 && source < size) : all
  const total = inside.reduce((sum, [, weight]) => sum + weight, 0)
  return inside.map(([source, weight]) => [source, weight / total])
}

/** The triangle, or cubic convolution with coefficient a (Keys 1981). */
function filter({ mode, cubicA: a }: AxisSampling, distance: number): number {
  const x = Math.abs(distance)
  if (mode === 'linear') return Math.max(1 - x, 0)
  if (x <= 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1
  return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0
}

function clamp(index: number, size: number): number {
  return Math.min(Math.max(index, 0), size - 1)
}
