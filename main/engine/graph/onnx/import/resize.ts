import type { Scope, Value } from '../../graph.ts'
import * as ops from '../../ops/index.ts'
import type { NodeContext } from './node-context.ts'
import {
  coordinate,
  sampleMatrix,
  sampleNearest,
  type AxisSampling,
  type CoordinateMode,
  type NearestMode,
  type ResizeMode,
} from './resample.ts'

const COORDINATES: readonly string[] = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
] satisfies CoordinateMode[]
const ROUNDINGS: readonly string[] = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] satisfies NearestMode[]
const MODES: readonly string[] = ['nearest', 'linear', 'cubic'] satisfies ResizeMode[]

const isCoordinateMode = (name: string): name is CoordinateMode => COORDINATES.includes(name)
const isNearestMode = (name: string): name is NearestMode => ROUNDINGS.includes(name)
const isResizeMode = (name: string): name is ResizeMode => MODES.includes(name)

/** A larger sampling matrix is refused: it would take more memory than the picture. */
const MAX_MATRIX = 2 ** 24

type Settings = Omit<AxisSampling, 'size' | 'target' | 'scale'>

/** Resize: operands (x, scales) in opset 10, (x, roi, scales, sizes) since. */
export function resize(c: NodeContext): Value {
  const { attributes } = c
  const x = c.input(0)
  const legacy = c.opset < 11
  const policy = attributes.text('keep_aspect_ratio_policy', 'stretch')
  if (policy !== 'stretch') throw c.unsupported(`keep_aspect_ratio_policy ${policy}`)
  const axes = c.axes(attributes.ints('axes') ?? [...x.shape.keys()], x.shape.length)
  const scales = numbersOrNone(c, legacy ? 1 : 2)
  const sizes = legacy ? undefined : numbersOrNone(c, 3)
  return resample(c, x, axes, scales, sizes, {
    mode: resizeMode(c, attributes.text('mode', 'nearest')),
    coordinates: coordinateMode(c, attributes.text('coordinate_transformation_mode', legacy ? 'asymmetric' : 'half_pixel')),
    rounding: nearestMode(c, attributes.text('nearest_mode', legacy ? 'floor' : 'round_prefer_floor')),
    cubicA: attributes.float('cubic_coeff_a', -0.75),
    excludeOutside: attributes.flag('exclude_outside'),
    antialias: attributes.flag('antialias'),
  })
}

/** Upsample (opsets 7 to 9): Resize from the top left corner, by scales that are an attribute or an operand. */
export function upsample(c: NodeContext): Value {
  const x = c.input(0)
  const scales = c.attributes.floats('scales') ?? c.numbers(1)
  const settings = { coordinates: 'asymmetric', rounding: 'floor', cubicA: -0.75, excludeOutside: false, antialias: false } as const
  return resample(c, x, [...x.shape.keys()], scales, undefined, { mode: resizeMode(c, c.attributes.text('mode', 'nearest')), ...settings })
}

function resample(
  c: NodeContext,
  x: Value,
  axes: readonly number[],
  scales: readonly number[] | undefined,
  sizes: readonly number[] | undefined,
  settings: Settings,
): Value {
  c.require((scales === undefined) !== (sizes === undefined), 'it has either scales or sizes')
  c.require((scales ?? sizes)?.length === axes.length, 'it has one scale or size per axis')
  const samplings = x.shape.map((size, axis): AxisSampling => {
    const at = axes.indexOf(axis)
    const scale = at === -1 ? 1 : (scales?.[at] ?? (sizes?.[at] ?? 0) / size)
    const target = at === -1 ? size : (sizes?.[at] ?? Math.floor(size * scale))
    c.require(size > 0 && target > 0 && Number.isSafeInteger(target) && scale > 0, 'its sizes are positive')
    if (size * target > MAX_MATRIX) throw c.unsupported('sizes beyond 4096')
    return { ...settings, size, target, scale }
  })
  return asOneOperator(c.g, x, samplings) ?? samplings.reduce((value, sampling, axis) => sampleAxis(c.g, value, axis, sampling), x)
}

/** The graph's own Resize, where it means the same: the usual enlargement of pictures. */
function asOneOperator(g: Scope, x: Value, samplings: readonly AxisSampling[]): Value | undefined {
  const [batch, channels, ...spatial] = samplings
  const [first] = spatial
  if (batch === undefined || channels === undefined || first === undefined || ![batch, channels].every(isIdentity)) return undefined
  const { mode } = first
  if (mode === 'cubic' || (mode === 'linear' && spatial.length !== 2)) return undefined
  if (!spatial.every(mode === 'nearest' ? isPlainNearest : isPlainLinear)) return undefined
  return ops.resize(
    g,
    x,
    spatial.map(({ target }) => target),
    mode,
  )
}

/** Element i of the result is element ⌊i · size / target⌋. */
function isPlainNearest(sampling: AxisSampling): boolean {
  return sampleNearest(sampling).every((source, i) => source === Math.floor((i * sampling.size) / sampling.target))
}

function isPlainLinear(sampling: AxisSampling): boolean {
  const { size, target, antialias } = sampling
  const halfPixel = (i: number): number => ((i + 0.5) * size) / target - 0.5
  const ends = [0, target - 1]
  return !(antialias && target < size) && ends.every((i) => Math.abs(coordinate(sampling, i) - halfPixel(i)) < 1e-4)
}

/** Resampling is linear: one axis is multiplied by a matrix, or picked from when each result has a single source. */
function sampleAxis(g: Scope, x: Value, axis: number, sampling: AxisSampling): Value {
  if (isIdentity(sampling)) return x
  if (sampling.mode === 'nearest') return ops.gather(g, x, ops.constant(g, 'int64', [sampling.target], sampleNearest(sampling)), axis)
  const last = [...x.shape.keys()].filter((a) => a !== axis).concat(axis)
  const product = ops.matMul(
    g,
    ops.transpose(g, x, last),
    ops.constant(g, x.dtype, [sampling.size, sampling.target], sampleMatrix(sampling)),
  )
  return ops.transpose(
    g,
    product,
    [...x.shape.keys()].map((a) => last.indexOf(a)),
  )
}

const isIdentity = ({ size, target, scale }: AxisSampling): boolean => size === target && scale === 1

function numbersOrNone(c: NodeContext, index: number): readonly number[] | undefined {
  const numbers = c.optional(index) === undefined ? [] : c.numbers(index)
  return numbers.length === 0 ? undefined : numbers
}

function resizeMode(c: NodeContext, name: string): ResizeMode {
  // Upsample calls bilinear what Resize calls linear.
  const known = name === 'bilinear' ? 'linear' : name
  if (!isResizeMode(known)) throw c.unsupported(`mode ${name}`)
  return known
}

function coordinateMode(c: NodeContext, name: string): CoordinateMode {
  if (!isCoordinateMode(name)) throw c.unsupported(`coordinate_transformation_mode ${name}`)
  return name
}

function nearestMode(c: NodeContext, name: string): NearestMode {
  if (!isNearestMode(name)) throw c.unsupported(`nearest_mode ${name}`)
  return name
}
