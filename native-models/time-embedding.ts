import type { Scope, Value } from '../main/engine/graph/graph.ts'
import * as ops from '../main/engine/graph/ops/index.ts'
import type { Module } from './module.ts'

export interface SinusoidOptions {
  /** Numbers per value. */
  readonly width: number
  /** [cos, sin] instead of [sin, cos]. */
  readonly flipSinToCos: boolean
  readonly freqShift: number
}

/**
 * Sinusoidal embedding of x [n], float32 → [n, width]: sin and cos of x · ω_i with ω_i = 10000^(−i / (width/2 − shift))
 * (Vaswani et al. 2017, Ho et al. 2020); an odd width ends with a zero.
 */
export function sinusoids(g: Scope, x: Value, { width, flipSinToCos, freqShift }: SinusoidOptions): Value {
  const half = Math.floor(width / 2)
  const angles = ops.mul(g, ops.reshape(g, x, [-1, 1]), ops.constant(g, 'float32', [1, half], frequencies(half, freqShift)))
  const sin = ops.unary(g, 'Sin', angles)
  const cos = ops.unary(g, 'Cos', angles)
  const both = ops.concat(g, flipSinToCos ? [cos, sin] : [sin, cos], 1)
  return ops.pad(g, both, [0, 0, 0, width - 2 * half])
}

/** Rounded to float32 at each step, as the models saw them in training: a timestep multiplies the rounding by up to 1000. */
function frequencies(half: number, freqShift: number): number[] {
  return Array.from({ length: half }, (_, i) => {
    const exponent = Math.fround(Math.fround(-Math.log(10000) * i) / Math.fround(half - freqShift))
    return Math.exp(Math.fround(exponent))
  })
}

/** linear_2(silu(linear_1(x))): [n, in] → [n, width]. */
export function embeddingMlp(m: Module, x: Value, width: number): Value {
  return m.linear('linear_2', ops.silu(m.scope, m.linear('linear_1', x, width)), width)
}
