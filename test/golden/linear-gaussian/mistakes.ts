/** Mistakes that an estimator could make, put in from outside: each must be noticed. */
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import type { ChainReward, Denoiser } from '../../../main/engine/rlr/denoiser.ts'
import type { LinearGaussianChain } from './chain.ts'

type Vjp = Awaited<ReturnType<Denoiser['vjp']>>

function withVjp(denoiser: Denoiser, change: (result: Vjp, position: number, u: Float32Array) => Vjp): Denoiser {
  return { ...denoiser, vjp: async (position, x, theta, u) => change(await denoiser.vjp(position, x, theta, u), position, u.data) }
}

const scaled = (values: Float32Array, factor: number): Float32Array => values.map((value) => factor * value)

/** The sign of ke in the upstream of the early steps: (∂e/∂θ)ᵀ (−ke) u. */
export function wrongSignBeforeTheLast({ steps }: LinearGaussianChain, denoiser: Denoiser): Denoiser {
  return withVjp(denoiser, ({ dx, dTheta }, position) => ({ dx, dTheta: position === steps - 1 ? dTheta : scaled(dTheta, -1) }))
}

/** The sign of ke in the recursion: u ← kx u − (∂e/∂x)ᵀ ke u. */
export function wrongSignInRecursion(denoiser: Denoiser): Denoiser {
  return withVjp(denoiser, ({ dx, dTheta }) => ({ dx: float32(dx.shape, scaled(dx.data, -1)), dTheta }))
}

/** kx left out of the recursion: u ← (∂e/∂x)ᵀ ke u. */
export function withoutKx({ coefficients }: LinearGaussianChain, denoiser: Denoiser): Denoiser {
  return withVjp(denoiser, ({ dx, dTheta }, position, u) => {
    const { kx, ke } = coefficients[position]!
    return { dx: float32(dx.shape, dx.data.map((value, i) => value - (kx / ke) * u[i]!)), dTheta }
  })
}

/** ke left out of the upstream. */
export function withoutKe({ coefficients }: LinearGaussianChain, denoiser: Denoiser): Denoiser {
  return withVjp(denoiser, ({ dx, dTheta }, position) => {
    const factor = 1 / coefficients[position]!.ke
    return { dx: float32(dx.shape, scaled(dx.data, factor)), dTheta: scaled(dTheta, factor) }
  })
}

/** Descent where the reward is to ascend. */
export function negatedReward(reward: Required<ChainReward>): ChainReward {
  return {
    value: reward.value,
    gradient: async (x0, weights) => {
      const { values, dx0 } = await reward.gradient(x0, weights)
      return { values, dx0: float32(dx0.shape, scaled(dx0.data, -1)) }
    },
  }
}

/** Perturbations with the wrong sign: the rollout at θ + μδ is made with θ − μδ. */
export function mirroredPerturbations({ theta: centre }: LinearGaussianChain, denoiser: Denoiser): Denoiser {
  return { ...denoiser, predict: (position, x, theta) => denoiser.predict(position, x, theta.map((value, k) => 2 * centre[k]! - value)) }
}

/** z σ in place of z/σ: the same chain, whose noise the estimator believes to be σ z with a σ of 1. */
export function sigmaOnTheWrongSide(chain: LinearGaussianChain): { chain: LinearGaussianChain; noiseScale: (position: number) => number } {
  return {
    chain: { ...chain, coefficients: chain.coefficients.map(({ kx, ke, sigma }) => ({ kx, ke, sigma: sigma > 0 ? 1 : 0 })) },
    noiseScale: (position) => chain.coefficients[position]!.sigma,
  }
}
