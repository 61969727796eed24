import { describe, expect, it } from 'vitest'
import { cleanEstimate } from '../../../main/engine/diffusion/clean-estimate.ts'
import { noiseSchedule, STABLE_DIFFUSION_SCHEDULE } from '../../../main/engine/diffusion/noise-schedule.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'

const CLEAN = [0.5, -1, 2]
const NOISE = [1, 0.25, -0.5]

describe('the clean latent that a prediction means', () => {
  it.each([1, 321, 999])('is what was noised, at timestep %i, for noise and for velocity', (timestep) => {
    const alphaBar = noiseSchedule(STABLE_DIFFUSION_SCHEDULE).alphaBars[timestep]!
    const [signal, noise] = [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)]
    const x = float32([3], CLEAN.map((value, i) => signal * value + noise * NOISE[i]!))
    const velocity = float32([3], CLEAN.map((value, i) => signal * NOISE[i]! - noise * value))
    const byNoise = cleanEstimate(STABLE_DIFFUSION_SCHEDULE, timestep, x, float32([3], NOISE))
    const byVelocity = cleanEstimate({ ...STABLE_DIFFUSION_SCHEDULE, predictionType: 'v_prediction' }, timestep, x, velocity)
    CLEAN.forEach((value, i) => {
      expect(byNoise.data[i]).toBeCloseTo(value, 4)
      expect(byVelocity.data[i]).toBeCloseTo(value, 4)
    })
  })
})
