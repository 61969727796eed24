import type { SchedulerConfig } from '../../../native-models/checkpoint/scheduler-config.ts'

/** The schedule of Stable Diffusion 1.x, 2.x and XL, for checkpoints that do not say. */
export const STABLE_DIFFUSION_SCHEDULE: SchedulerConfig = {
  numTrainTimesteps: 1000,
  betaStart: 0.00085,
  betaEnd: 0.012,
  betaSchedule: 'scaled_linear',
  predictionType: 'epsilon',
  setAlphaToOne: false,
  stepsOffset: 1,
  timestepSpacing: 'leading',
  rescaleBetasZeroSnr: false,
  clipSample: false,
  clipSampleRange: 1,
}

/** ᾱ_t = Π_{s ≤ t} (1 − β_s) for the timesteps 0 … T−1 (Ho et al. 2020), and what stands before the first. */
export interface NoiseSchedule {
  readonly alphaBars: Float64Array
  /** ᾱ of a step that ends on the clean latent. */
  readonly finalAlphaBar: number
}

/** Works out ᾱ for every training timestep. */
export function noiseSchedule(config: SchedulerConfig): NoiseSchedule {
  const betas = config.trainedBetas ?? betasOf(config)
  const alphaBars = new Float64Array(betas.length)
  let product = 1
  betas.forEach((beta, t) => {
    product *= 1 - beta
    alphaBars[t] = product
  })
  const rescaled = config.rescaleBetasZeroSnr ? withZeroTerminalSnr(alphaBars) : alphaBars
  return { alphaBars: rescaled, finalAlphaBar: config.setAlphaToOne ? 1 : (rescaled[0] ?? 1) }
}

function betasOf({ betaSchedule, betaStart, betaEnd, numTrainTimesteps: count }: SchedulerConfig): number[] {
  const steps = Array.from({ length: count }, (_, t) => t)
  const between = (start: number, end: number, t: number): number => start + ((end - start) * t) / Math.max(1, count - 1)
  switch (betaSchedule) {
    case 'linear':
      return steps.map((t) => between(betaStart, betaEnd, t))
    case 'scaled_linear':
      // Linear in √β, as in latent diffusion (Rombach et al. 2022).
      return steps.map((t) => between(Math.sqrt(betaStart), Math.sqrt(betaEnd), t) ** 2)
    case 'squaredcos_cap_v2': {
      // ᾱ follows a squared cosine (Nichol & Dhariwal 2021), β capped at 0.999.
      const alphaBar = (t: number): number => Math.cos(((t / count + 0.008) / 1.008) * (Math.PI / 2)) ** 2
      return steps.map((t) => Math.min(1 - alphaBar(t + 1) / alphaBar(t), 0.999))
    }
  }
}

/** Shifts and scales √ᾱ so that it ends at zero and starts where it did (Lin et al. 2024, algorithm 1). */
function withZeroTerminalSnr(alphaBars: Float64Array): Float64Array {
  const roots = alphaBars.map(Math.sqrt)
  const first = roots[0] ?? 1
  const last = roots.at(-1) ?? 0
  return roots.map((root) => (((root - last) * first) / (first - last)) ** 2)
}

/** ᾱ of pure noise, which the solvers in terms of noise levels take for this instead of zero (as diffusers does). */
const LEAST_ALPHA_BAR = 2 ** -24

/** √((1−ᾱ)/ᾱ), the noise against the signal at a timestep; linear between whole ones. */
export function noiseLevelAt(schedule: NoiseSchedule, timestep: number): number {
  const below = Math.floor(timestep)
  const level = (t: number): number => {
    const alphaBar = Math.max(schedule.alphaBars[t] ?? 1, LEAST_ALPHA_BAR)
    return Math.sqrt((1 - alphaBar) / alphaBar)
  }
  return below === timestep ? level(below) : level(below) + (timestep - below) * (level(below + 1) - level(below))
}
