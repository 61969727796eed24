import { Graph, type Scope, type Value } from '../graph/graph.ts'
import {
  branch, cast, conv, convTranspose, matMul, mul, pad, reshape, scale, shift, slice, sum, transpose, where,
} from '../graph/ops/index.ts'
import { elementCount, type Shape } from '../tensor/shape.ts'
import { float32, type Tensor } from '../tensor/tensor.ts'

/**
 * A small computation with a known answer: `graph` runs on the device under test, `expected` on the CPU, both with the same
 * inputs and with the same outputs. Where it can, `expected` reaches the same numbers by other operators.
 */
export interface Check {
  readonly graph: Graph
  readonly expected: Graph
  readonly feeds: readonly Readonly<Record<string, Tensor>>[]
  /** Largest allowed ‖y − expected‖ / ‖expected‖ of any output. */
  readonly tolerance: number
}

/** TF32, which NVIDIA uses for float32 products, keeps 10 bits of the mantissa: errors of some 1e-3 are its, not a defect. */
const FLOAT32_TOLERANCE = 5e-3
const FLOAT16_TOLERANCE = 1e-2

/** A · B, expected as Σ_k A_ik B_kj. */
export function matMulCheck(): Check {
  return productCheck(matMul, FLOAT32_TOLERANCE)
}

/** The same product in half precision. Inputs and output stay float32: what is asked is whether the device computes in halves. */
export function float16Check(): Check {
  const half = (g: Scope, a: Value, b: Value) => cast(g, matMul(g, cast(g, a, 'float16'), cast(g, b, 'float16')), 'float32')
  return productCheck(half, FLOAT16_TOLERANCE)
}

/** A 3×3 convolution with padding and stride 2, and one in two groups, by the same operator on the CPU. */
export function convCheck(): Check {
  const weight = waves([8, 8, 3, 3])
  const groupWeight = waves([8, 4, 3, 3])
  const build = () =>
    graphOf({ x: [2, 8, 9, 9] }, (g, { x }) => ({
      strided: conv(g, x, constantOf(g, weight), undefined, { strides: [2, 2], pads: [1, 1, 1, 1] }),
      grouped: conv(g, x, constantOf(g, groupWeight), undefined, { pads: [1, 1, 1, 1], group: 2 }),
    }))
  return { graph: build(), expected: build(), feeds: [{ x: waves([2, 8, 9, 9]) }], tolerance: FLOAT32_TOLERANCE }
}

/**
 * The gradient of a 3×3 convolution with respect to its input, for stride 1 and 2. ConvTranspose with weight W and padding p is
 * the Conv with W flipped and its channel axes swapped, padding 2 − p, over the input with stride − 1 zeros after each element.
 */
export function convTransposeCheck(): Check {
  const weight = waves([5, 4, 3, 3])
  const options = { pads: [1, 1, 1, 1] }
  const graph = graphOf({ x: [2, 5, 6, 6] }, (g, { x }) => {
    const w = constantOf(g, weight)
    return {
      same: convTranspose(g, x, w, undefined, options),
      doubled: convTranspose(g, x, w, undefined, { ...options, strides: [2, 2], outputPadding: [1, 1] }),
    }
  })
  const expected = graphOf({ x: [2, 5, 6, 6] }, (g, { x }) => {
    const flipped = slice(g, constantOf(g, weight), [2, 3], [-1, -1], [-4, -4], [-1, -1])
    const swapped = transpose(g, flipped, [1, 0, 2, 3])
    const spread = reshape(g, pad(g, reshape(g, x, [2, 5, 6, 1, 6, 1]), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1]), [2, 5, 12, 12])
    return { same: conv(g, x, swapped, undefined, options), doubled: conv(g, spread, swapped, undefined, options) }
  })
  return { graph, expected, feeds: [{ x: waves([2, 5, 6, 6]) }], tolerance: FLOAT32_TOLERANCE }
}

/** Both branches of an `If` over a captured value, as recomputation uses it; expected by `Where`. */
export function branchCheck(): Check {
  const build = (choose: (g: Scope, condition: Value, x: Value) => Value) => {
    const graph = new Graph()
    const condition = graph.input('condition', 'bool', [1])
    graph.output('y', choose(graph.scope, condition, graph.input('x', 'float32', [4, 8])))
    return graph
  }
  const graph = build((g, condition, x) => {
    const then = g.branch('then')
    const otherwise = g.branch('else')
    then.region.results.push(scale(then, x, 2))
    otherwise.region.results.push(shift(otherwise, x, 3))
    const [y] = branch(g, condition, then.region, otherwise.region)
    return y ?? x
  })
  const expected = build((g, condition, x) => where(g, condition, scale(g, x, 2), shift(g, x, 3)))
  const feeds = [0, 1].map((value) => {
    const condition: Tensor = { dtype: 'bool', shape: [1], data: Uint8Array.of(value) }
    return { condition, x: waves([4, 8]) }
  })
  return { graph, expected, feeds, tolerance: FLOAT32_TOLERANCE }
}

/** Work to measure speed by: a chain of square products. Only large ones outweigh the way to a GPU and back. */
export interface Benchmark {
  readonly graph: Graph
  readonly feeds: Readonly<Record<string, Tensor>>
  readonly operations: number
}

export function speedBenchmark(size: number, length = 4): Benchmark {
  const weight = waves([size, size])
  const graph = graphOf({ x: [size, size] }, (g, { x }) => {
    const w = constantOf(g, weight)
    let y = x
    for (let i = 0; i < length; i++) y = matMul(g, y, w)
    return { y }
  })
  return { graph, feeds: { x: waves([size, size]) }, operations: 2 * size ** 3 * length }
}

function productCheck(product: (g: Scope, a: Value, b: Value) => Value, tolerance: number): Check {
  const inputs = { a: [24, 40], b: [40, 16] }
  const graph = graphOf(inputs, (g, { a, b }) => ({ y: product(g, a, b) }))
  const expected = graphOf(inputs, (g, { a, b }) => {
    const products = mul(g, reshape(g, a, [24, 40, 1]), reshape(g, b, [1, 40, 16]))
    return { y: sum(g, products, [1]) }
  })
  return { graph, expected, feeds: [{ a: waves([24, 40]), b: waves([40, 16]) }], tolerance }
}

/** A graph with float32 inputs of these shapes and the outputs that `build` gives. */
function graphOf<N extends string>(
  inputs: Readonly<Record<N, Shape>>,
  build: (g: Scope, values: Record<N, Value>) => Readonly<Record<string, Value>>,
): Graph {
  const graph = new Graph()
  const values = {} as Record<N, Value>
  for (const name in inputs) values[name] = graph.input(name, 'float32', inputs[name])
  for (const [name, value] of Object.entries(build(graph.scope, values))) graph.output(name, value)
  return graph
}

function constantOf(g: Scope, tensor: Tensor<'float32'>): Value {
  return g.graph.constant(tensor)
}

/** Numbers in [−1, 1] without a pattern that an error could hide behind: sin(i²) has no short period. */
function waves(shape: Shape): Tensor<'float32'> {
  return float32(shape, Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(i * i + i + 1)))
}
