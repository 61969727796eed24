import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { STABLE_DIFFUSION_SCHEDULE } from '../../../main/engine/diffusion/noise-schedule.ts'
import { Sampling, samplingChain } from '../../../main/engine/diffusion/sampler.ts'
import { ddimTimesteps, dpmSolverTimesteps, eulerTimesteps } from '../../../main/engine/diffusion/timesteps.ts'
import { SamplerName } from '../../../main/engine/protocol.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'

const SAMPLERS = join(import.meta.dirname, '..', '..', 'golden', 'samplers')
const read = (name: string): unknown => JSON.parse(readFileSync(join(SAMPLERS, name), 'utf8'))

const Spacing = z.enum(['leading', 'trailing', 'linspace'])
const timestepCases = z.array(z.object({
  sampler: SamplerName,
  spacing: Spacing,
  steps: z.int(),
  timesteps: z.array(z.number()),
})).parse(read('timesteps.json'))
const chainCases = z.array(z.object({
  sampler: SamplerName,
  spacing: Spacing,
  prediction: z.enum(['epsilon', 'v_prediction']),
  steps: z.int(),
  eta: z.number(),
  zeroSnr: z.boolean(),
  start: z.array(z.number()),
  noise: z.array(z.array(z.number())),
  latents: z.array(z.array(z.number())),
})).parse(read('chains.json'))

describe('timesteps are those of diffusers', () => {
  const spaced = { ddim: ddimTimesteps, dpmpp: dpmSolverTimesteps, euler: eulerTimesteps }
  it.each(timestepCases)('$sampler, $spacing, $steps steps', ({ sampler, spacing, steps, timesteps }) => {
    const ours = spaced[sampler]({ numTrainTimesteps: 1000, stepsOffset: 1, timestepSpacing: spacing }, steps)
    expect(ours.length).toBe(steps)
    // diffusers keeps Euler's in single precision.
    ours.forEach((timestep, i) => expect(timestep).toBeCloseTo(timesteps[i] ?? NaN, 3))
  })

  it('stay within the schedule when every one is visited', () => {
    const all = ddimTimesteps({ numTrainTimesteps: 1000, stepsOffset: 1, timestepSpacing: 'leading' }, 1000)
    expect([all[0], all.at(-1), new Set(all).size]).toEqual([999, 0, 1000])
  })

  it.each([0, -1, 1.5, 1001, NaN])('%s steps are refused', (steps) => {
    for (const timestepSpacing of Spacing.options)
      for (const timesteps of Object.values(spaced))
        expect(() => timesteps({ numTrainTimesteps: 1000, stepsOffset: 1, timestepSpacing }, steps))
          .toThrow(expect.objectContaining({ code: 'recipe.impossible', details: { key: 'steps', value: steps } }) as Error)
  })
})

describe('chains are those of diffusers', () => {
  it.each(chainCases)('$sampler, $spacing, $prediction, $steps steps, eta $eta, zero SNR $zeroSnr', (reference) => {
    const { sampler, spacing, prediction, steps, eta, zeroSnr } = reference
    const config = { ...STABLE_DIFFUSION_SCHEDULE, timestepSpacing: spacing, predictionType: prediction, rescaleBetasZeroSnr: zeroSnr }
    const chain = samplingChain(config, { sampler, steps, eta })
    const sampling = new Sampling(chain)
    const shape = [1, 1, 2, 3]
    let x = sampling.start(float32(shape, reference.start))
    reference.latents.forEach((expected, i) => {
      const t = chain.timesteps[i] ?? 0
      const e = float32(shape, x.data.map((value) => 0.8 * Math.cos(2 * value) + (t / 1000) * value))
      x = sampling.step(i, x, e, float32(shape, reference.noise[i] ?? []))
      const error = Math.hypot(...expected.map((value, k) => value - (x.data[k] ?? NaN))) / Math.hypot(...expected)
      expect(error).toBeLessThan(2e-4)
    })
  })

  it('end free of noise', () => {
    for (const sampler of ['ddim', 'euler'] as const)
      expect(samplingChain(STABLE_DIFFUSION_SCHEDULE, { sampler, steps: 10, eta: 1 }).steps.at(-1)?.sigma).toBe(0)
  })
})

it.each([['dpmpp', 0.1], ['ddim', -0.1], ['ddim', 1.1], ['euler', NaN]] as const)('%s refuses an eta of %s', (sampler, eta) => {
  expect(() => samplingChain(STABLE_DIFFUSION_SCHEDULE, { sampler, steps: 5, eta }))
    .toThrow(expect.objectContaining({ details: { key: 'eta', value: eta } }) as Error)
})
