/**
 * A chain whose every latent is Gaussian, with a reward that is quadratic: small enough to draw 10⁵ updates, and the gradient that
 * they estimate is known exactly (closed-form.ts).
 *
 *   e_i(x; θ) = (M_i + Σ_k θ_k G_ik) x + N_i θ + c_i(prompt),   R(x) = −½ xᵀ Q x + qᵀ x
 */
import { ddimCoefficients, type StepCoefficients } from '../../../main/engine/diffusion/ddim.ts'
import { STABLE_DIFFUSION_SCHEDULE, noiseSchedule } from '../../../main/engine/diffusion/noise-schedule.ts'
import { Random } from '../../../main/engine/random/random.ts'
import type { ChainReward, Denoiser } from '../../../main/engine/rlr/denoiser.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'

export interface LinearGaussianChain {
  /** Size of a latent, number of parameters, number of steps. */
  readonly d: number
  readonly p: number
  readonly steps: number
  readonly coefficients: readonly StepCoefficients[]
  /** By step: M [d, d], G [p, d, d], N [d, p], all flat. */
  readonly M: readonly Float64Array[]
  readonly G: readonly Float64Array[]
  readonly N: readonly Float64Array[]
  /** c [d], by step and prompt. */
  readonly c: readonly (readonly Float64Array[])[]
  readonly Q: Float64Array
  readonly q: Float64Array
  /** Which prompt each sample belongs to. */
  readonly groups: readonly number[]
  readonly theta: Float32Array
}

export interface ChainSize {
  readonly d: number
  readonly p: number
  readonly timesteps: readonly number[]
  readonly groups: readonly number[]
  /** Whether e is near what a network predicts that has learned x_0 ~ N(0, I), so that latents keep their size however long the chain. */
  readonly learned?: true
}

/** The chain of the tests: 4 steps over 2 numbers, 3 parameters, two prompts with two samples each. */
export const SMALL: ChainSize = { d: 2, p: 3, timesteps: [901, 701, 501, 301], groups: [0, 0, 1, 1] }

/** A random chain of this size, the same for the same seed. */
export function linearGaussianChain({ d, p, timesteps, groups, learned }: ChainSize, seed = 1): LinearGaussianChain {
  const schedule = noiseSchedule(STABLE_DIFFUSION_SCHEDULE)
  const random = new Random(seed)
  let drawn = 0
  const matrix = (count: number, scale: number): Float64Array =>
    Float64Array.from(random.normal('initialisation', [drawn++], [count]).data, (value) => scale * value)
  const perStep = <T>(make: (timestep: number) => T): T[] => timesteps.map(make)
  // E[ε | x_t] = √(1−ᾱ_t) x_t for x_0 ~ N(0, I).
  const own = (timestep: number): number => (learned === true ? Math.sqrt(1 - schedule.alphaBars[timestep]!) : 0.7)
  const scale = learned === true ? { M: 0.02, G: 0.03, N: 0.1, c: 0.1 } : { M: 0.15, G: 0.3, N: 0.4, c: 0.3 }
  const prompts = Math.max(...groups) + 1
  const Q = new Float64Array(d * d)
  for (let i = 0; i < d; i++) Q[i * (d + 1)] = 0.5 + 0.25 * i
  for (let i = 0; i + 1 < d; i++) Q[i * d + i + 1] = Q[(i + 1) * d + i] = 0.1
  return {
    d,
    p,
    steps: timesteps.length,
    coefficients: ddimCoefficients(schedule, timesteps, 1, 'epsilon'),
    // e must come close to x where there is little signal, as a real network's does, or the chain blows up.
    M: perStep((timestep) => matrix(d * d, scale.M).map((value, i) => value + (i % (d + 1) === 0 ? own(timestep) : 0))),
    G: perStep(() => matrix(p * d * d, scale.G)),
    N: perStep(() => matrix(d * p, scale.N)),
    c: perStep(() => Array.from({ length: prompts }, () => matrix(d, scale.c))),
    Q,
    q: Float64Array.from({ length: d }, (_, i) => 0.6 - 0.4 * i),
    groups,
    theta: Float32Array.from({ length: p }, (_, k) => 0.2 - 0.15 * k),
  }
}

/** M + Σ_k θ_k G_k at a step, [d, d]. */
export function stepMatrix({ d, p, M, G }: LinearGaussianChain, position: number, theta: ArrayLike<number>): Float64Array {
  const g = G[position]!
  return M[position]!.map((value, i) => {
    let sum = value
    for (let k = 0; k < p; k++) sum += theta[k]! * g[k * d * d + i]!
    return sum
  })
}

/** N θ + c at a step, for one prompt, [d]. */
export function stepOffset({ p, N, c }: LinearGaussianChain, position: number, prompt: number, theta: ArrayLike<number>): Float64Array {
  return c[position]![prompt]!.map((value, i) => {
    let sum = value
    for (let k = 0; k < p; k++) sum += N[position]![i * p + k]! * theta[k]!
    return sum
  })
}

export function denoiserOf(chain: LinearGaussianChain): Denoiser {
  const { d, p, G, N, groups } = chain
  return {
    parameterCount: p,
    predict: async (position, x, theta) => {
      const matrix = stepMatrix(chain, position, theta)
      const offsets = chain.c[position]!.map((_, prompt) => stepOffset(chain, position, prompt, theta))
      const e = new Float32Array(x.data.length)
      groups.forEach((prompt, b) => {
        for (let i = 0; i < d; i++) {
          let sum = offsets[prompt]![i]!
          for (let j = 0; j < d; j++) sum += matrix[i * d + j]! * x.data[b * d + j]!
          e[b * d + i] = sum
        }
      })
      return float32(x.shape, e)
    },
    vjp: async (position, x, theta, u) => {
      const matrix = stepMatrix(chain, position, theta)
      const dx = new Float32Array(x.data.length)
      const dTheta = new Float32Array(p)
      groups.forEach((_, b) => {
        for (let i = 0; i < d; i++) {
          const upstream = u.data[b * d + i]!
          for (let j = 0; j < d; j++) dx[b * d + j]! += matrix[i * d + j]! * upstream
          for (let k = 0; k < p; k++) {
            let sum = N[position]![i * p + k]!
            for (let j = 0; j < d; j++) sum += G[position]![(k * d + i) * d + j]! * x.data[b * d + j]!
            dTheta[k]! += upstream * sum
          }
        }
      })
      return { dx: float32(x.shape, dx), dTheta }
    },
  }
}

export function rewardOf({ d, Q, q, groups }: LinearGaussianChain): Required<ChainReward> {
  const ascent = (x: Float32Array, b: number, i: number): number => {
    let sum = q[i]!
    for (let j = 0; j < d; j++) sum -= Q[i * d + j]! * x[b * d + j]!
    return sum
  }
  // −½ xᵀ Q x + qᵀ x = ½ xᵀ (q + (q − Q x))
  const value = (x: Float32Array): Float64Array =>
    Float64Array.from(groups, (_, b) => {
      let sum = 0
      for (let i = 0; i < d; i++) sum += 0.5 * x[b * d + i]! * (q[i]! + ascent(x, b, i))
      return sum
    })
  return {
    value: async (x0) => value(x0.data),
    gradient: async (x0, weights) => ({
      values: value(x0.data),
      dx0: float32(x0.shape, x0.data.map((_, at) => weights[Math.floor(at / d)]! * ascent(x0.data, Math.floor(at / d), at % d))),
    }),
  }
}
