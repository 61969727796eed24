import type { SchedulerConfig } from '../../../native-models/checkpoint/scheduler-config.ts'
import { HalfstepError } from '../errors.ts'
import type { SamplerName } from '../protocol.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import { ddimCoefficients } from './ddim.ts'
import { dpmSolverCoefficients, type MultistepCoefficients } from './dpm-solver.ts'
import { eulerCoefficients } from './euler.ts'
import { noiseLevelAt, noiseSchedule } from './noise-schedule.ts'
import { ddimTimesteps, dpmSolverTimesteps, eulerTimesteps } from './timesteps.ts'

/** A chain in numbers, for latents of the variance-preserving chain. */
export interface SamplingChain {
  /** Noisiest first; what the network is told. */
  readonly timesteps: readonly number[]
  /** What noise N(0, I) is multiplied by to start from. */
  readonly startScale: number
  readonly steps: readonly MultistepCoefficients[]
}

export interface ChainOptions {
  readonly sampler: SamplerName
  readonly steps: number
  /** How much of every step's noise is fresh, 0 … 1. */
  readonly eta: number
  /** How many of the noisiest steps are left out, for a start from a noised picture; none by default. */
  readonly skip?: number
}

/**
 * The chain of a sampler under a model's noise schedule. Throws `recipe.impossible` for a number of steps or an eta that the
 * sampler does not have.
 */
export function samplingChain(config: SchedulerConfig, { sampler, steps, eta, skip = 0 }: ChainOptions): SamplingChain {
  if (!(eta >= 0 && eta <= 1)) throw impossible('eta', eta, `An eta of ${eta} is not possible.`, 'Set eta to a number from 0 to 1.')
  const schedule = noiseSchedule(config)
  const { predictionType } = config
  switch (sampler) {
    case 'ddim': {
      const timesteps = ddimTimesteps(config, steps).slice(skip)
      return { timesteps, startScale: 1, steps: ddimCoefficients(schedule, timesteps, eta, predictionType).map(singleStep) }
    }
    case 'euler': {
      const timesteps = eulerTimesteps(config, steps).slice(skip)
      return {
        timesteps,
        startScale: eulerStartScale(config, noiseLevelAt(schedule, timesteps[0] ?? 0)),
        steps: eulerCoefficients(schedule, timesteps, eta, predictionType).map(singleStep),
      }
    }
    case 'dpmpp': {
      if (eta > 0) {
        throw impossible('eta', eta, 'DPM-Solver++ adds no noise: it has no eta but 0.', 'Set eta to 0, or take ddim or euler.')
      }
      const timesteps = dpmSolverTimesteps(config, steps).slice(skip)
      return { timesteps, startScale: 1, steps: dpmSolverCoefficients(schedule, timesteps, predictionType) }
    }
  }
}

/** One sample's or batch's way along a chain: what the solver remembers between steps is in here. */
export class Sampling {
  readonly #chain: SamplingChain
  #clean: Float32Array | undefined

  constructor(chain: SamplingChain) {
    this.#chain = chain
  }

  /** The first latent for noise N(0, I). */
  start(noise: FloatTensor): FloatTensor {
    const { startScale } = this.#chain
    return startScale === 1
      ? noise
      : float32(
          noise.shape,
          noise.data.map((value) => startScale * value),
        )
  }

  /** The latent after a position. @param e the network's prediction @param z fresh noise, needed where `sigma` is not 0 */
  step(position: number, x: FloatTensor, e: FloatTensor, z?: FloatTensor): FloatTensor {
    const coefficients = this.#chain.steps[position]
    if (coefficients === undefined) throw new RangeError(`the chain has no step ${position}`)
    const { kx, ke, sigma, km, dx, de } = coefficients
    const before = km === 0 ? undefined : this.#clean
    const next = new Float32Array(x.data.length)
    const clean = new Float32Array(x.data.length)
    for (let i = 0; i < next.length; i++) {
      const xi = x.data[i]!
      const ei = e.data[i]!
      clean[i] = dx * xi + de * ei
      next[i] = kx * xi + ke * ei + (z === undefined ? 0 : sigma * z.data[i]!) + (before === undefined ? 0 : km * before[i]!)
    }
    this.#clean = clean
    return float32(x.shape, next)
  }
}

function singleStep(coefficients: { kx: number; ke: number; sigma: number }): MultistepCoefficients {
  return { ...coefficients, km: 0, dx: 0, de: 0 }
}

/**
 * diffusers starts Euler's method from σ · N(0, I), which is a little less than the x̃ of the schedule's own noisiest latent,
 * except under `leading`, where it starts from √(σ²+1) · N(0, I).
 */
function eulerStartScale({ timestepSpacing }: SchedulerConfig, level: number): number {
  return timestepSpacing === 'leading' ? 1 : level / Math.sqrt(level * level + 1)
}

function impossible(key: string, value: number, message: string, nextStep: string): HalfstepError {
  return new HalfstepError('recipe.impossible', message, nextStep, { key, value })
}
