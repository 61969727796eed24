import { describe, expect, it } from 'vitest'
import { noiseSchedule, STABLE_DIFFUSION_SCHEDULE } from '../../../main/engine/diffusion/noise-schedule.ts'
import { samplingChain } from '../../../main/engine/diffusion/sampler.ts'
import { latentMask } from '../../../main/engine/inpainting/latent-mask.ts'
import { drawMasked } from '../../../main/engine/inpainting/masked-chain.ts'
import { SamplerName } from '../../../main/engine/protocol.ts'
import type { Denoiser } from '../../../main/engine/rlr/denoiser.ts'
import { float32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'
import { maskWhere } from './mask-files.ts'

/** ᾱ = 0.75 and 0.36 (β = 0.25 and 0.52), so that √ and 1 − ᾱ are short numbers. */
const SCHEDULER = {
  ...STABLE_DIFFUSION_SCHEDULE, numTrainTimesteps: 2, trainedBetas: [0.25, 0.52], setAlphaToOne: true, stepsOffset: 0,
}
const schedule = noiseSchedule(SCHEDULER)

/** Always the same prediction; keeps what it was shown. */
function constant(e: number): Denoiser & { readonly seen: FloatTensor[] } {
  const seen: FloatTensor[] = []
  return {
    parameterCount: 0,
    seen,
    predict: async (_position, x) => {
      seen.push(x)
      return float32(x.shape, x.data.map(() => e))
    },
    vjp: () => Promise.reject(new Error('nothing is trained here')),
  }
}

/** Two latents side by side: the left one stays, the right one is drawn. */
const known = float32([1, 1, 1, 2], [2, -1])
const mask = float32([1, 1, 1, 2], [0, 1])
const noise = { start: () => float32([1, 1, 1, 2], [0.5, 3]), step: () => float32([1, 1, 1, 2], [7, 7]) }

describe('a masked chain, by hand', () => {
  it('puts the rest back at every level, and draws the masked part from noise', async () => {
    const chain = samplingChain(SCHEDULER, { sampler: 'ddim', steps: 2, eta: 0 })
    const denoiser = constant(0.4)
    const x0 = await drawMasked({ known, mask }, { chain, fromNoise: true, schedule }, denoiser, noise)
    // Level 0: left √0.36 · 2 + √0.64 · 0.5, right pure noise.
    expect([...denoiser.seen[0]!.data].map((value) => value.toFixed(5))).toEqual(['1.60000', '3.00000'])
    // Level 1: left √0.75 · 2 + √0.25 · 0.5; right √0.75 · (3 − √0.64 · 0.4)/√0.36 + √0.25 · 0.4.
    const right = (Math.sqrt(0.75) * (3 - 0.8 * 0.4)) / 0.6 + 0.5 * 0.4
    expect(denoiser.seen[1]!.data[0]).toBeCloseTo(Math.sqrt(0.75) * 2 + 0.25, 5)
    expect(denoiser.seen[1]!.data[1]).toBeCloseTo(right, 5)
    // The end: left as it was, right (x − √0.25 · 0.4)/√0.75.
    expect(x0.data[0]).toBe(2)
    expect(x0.data[1]).toBeCloseTo((right - 0.2) / Math.sqrt(0.75), 5)
  })

  it('starts from the noised picture inside the mask too when the noisiest steps are left out', async () => {
    const chain = samplingChain(SCHEDULER, { sampler: 'ddim', steps: 2, eta: 0, skip: 1 })
    const denoiser = constant(3)
    const x0 = await drawMasked({ known, mask }, { chain, fromNoise: false, schedule }, denoiser, noise)
    expect(denoiser.seen).toHaveLength(1)
    expect(denoiser.seen[0]!.data[1]).toBeCloseTo(Math.sqrt(0.75) * -1 + 0.5 * 3, 5)
    // A network that predicts the very noise gives the picture back.
    expect(x0.data[1]).toBeCloseTo(-1, 5)
  })

  it.each(SamplerName.options)('leaves the rest alone under %s, with fresh noise where the sampler has some', async (sampler) => {
    const chain = samplingChain(STABLE_DIFFUSION_SCHEDULE, { sampler, steps: 6, eta: sampler === 'dpmpp' ? 0 : 1, skip: 2 })
    const levels: number[] = []
    const whole = noiseSchedule(STABLE_DIFFUSION_SCHEDULE)
    const x0 = await drawMasked({ known, mask }, { chain, fromNoise: false, schedule: whole }, constant(0.1), noise, (done) => {
      levels.push(done)
    })
    expect(x0.data[0]).toBe(2)
    expect(Number.isFinite(x0.data[1])).toBe(true)
    expect(levels).toEqual([1, 2, 3, 4])
  })

  it('begins DPM-Solver++ afresh where it begins, with a step of first order', () => {
    const [first] = samplingChain(STABLE_DIFFUSION_SCHEDULE, { sampler: 'dpmpp', steps: 6, eta: 0, skip: 2 }).steps
    expect(Math.abs(first?.km ?? NaN)).toBe(0)
  })
})

describe('the mask of latents', () => {
  const cells = (mask: FloatTensor): number[] => [...mask.data]

  it('holds every latent that a painted pixel lies over', () => {
    expect(cells(latentMask(maskWhere(16, 8, (x, y) => x === 8 && y === 0), 1, 2))).toEqual([0, 1])
    expect(cells(latentMask(maskWhere(16, 16, (x, y) => x === y), 2, 2))).toEqual([1, 0, 0, 1])
  })

  it('spreads a pixel over all latents that it covers where the region is enlarged', () => {
    expect(cells(latentMask(maskWhere(2, 1, (x) => x === 1), 1, 4))).toEqual([0, 0, 1, 1])
    expect(cells(latentMask(maskWhere(3, 1, (x) => x === 1), 1, 4))).toEqual([0, 1, 1, 0])
  })
})
