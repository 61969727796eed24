import type { PredictionType } from '../../../native-models/checkpoint/scheduler-config.ts'
import type { StepCoefficients } from './ddim.ts'
import { noiseLevelAt, type NoiseSchedule } from './noise-schedule.ts'

/** A step that also uses what the step before it took for the clean latent: x' = kx · x + ke · e + σ · z + km · m. */
export interface MultistepCoefficients extends StepCoefficients {
  readonly km: number
  /** This step's own estimate of the clean latent, m = dx · x + de · e, for the next one. */
  readonly dx: number
  readonly de: number
}

/**
 * DPM-Solver++(2M) (Lu et al. 2022, algorithm 2), ending on the clean latent. With √ᾱ = α, √(1−ᾱ) = σ, λ = log(α/σ), h = λ' − λ,
 * r = (λ − λ_before)/h and m the clean latent as the network predicts it:
 *
 *   x' = (σ'/σ) x − α'(e^{−h} − 1) · ((1 + 1/2r) m − (1/2r) m_before)
 *
 * The first step, which has none before it, and the last one, for which h is infinite, are of first order.
 *
 * @param timesteps noisiest first
 */
export function dpmSolverCoefficients(
  schedule: NoiseSchedule,
  timesteps: readonly number[],
  prediction: PredictionType,
): MultistepCoefficients[] {
  const points = timesteps.map((timestep) => pointAt(noiseLevelAt(schedule, timestep)))
  return points.map((point, i) => {
    const next = points[i + 1] ?? CLEAN
    const before = i === 0 || points[i + 1] === undefined ? undefined : points[i - 1]
    const h = next.lambda - point.lambda
    const weight = -next.alpha * Math.expm1(-h)
    const half = before === undefined ? 0 : h / (2 * (point.lambda - before.lambda))
    const { dx, de } = cleanEstimate(point, prediction)
    const own = weight * (1 + half)
    return { kx: next.sigma / point.sigma + own * dx, ke: own * de, sigma: 0, km: -weight * half, dx, de }
  })
}

interface Point {
  readonly alpha: number
  readonly sigma: number
  readonly lambda: number
}

const CLEAN: Point = { alpha: 1, sigma: 0, lambda: Infinity }

function pointAt(level: number): Point {
  const alpha = 1 / Math.sqrt(level * level + 1)
  return { alpha, sigma: level * alpha, lambda: -Math.log(level) }
}

/** m = (x − σ ε)/α, or m = α x − σ v. */
function cleanEstimate({ alpha, sigma }: Point, prediction: PredictionType): { dx: number; de: number } {
  return prediction === 'v_prediction' ? { dx: alpha, de: -sigma } : { dx: 1 / alpha, de: -sigma / alpha }
}
