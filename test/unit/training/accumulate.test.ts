import { describe, expect, it } from 'vitest'
import type { Apply } from '../../../main/engine/rlr/algorithm.ts'
import { accumulate } from '../../../main/engine/training/accumulate.ts'

/** Takes `steps` optimizer steps with gradients of its own, and keeps what happened in order. */
function recordingBatch(steps: number, log: string[]) {
  return async (batch: number, apply: Apply): Promise<string> => {
    for (let step = 0; step < steps; step++) {
      log.push(`batch ${batch} works on step ${step}`)
      const theta = await apply(Float32Array.of(10 * step + batch))
      log.push(`batch ${batch} has θ = ${theta[0]}`)
    }
    return `batch ${batch} done`
  }
}

describe('accumulation', () => {
  it('averages the gradients of all batches in each optimizer step, one batch at a time', async () => {
    const log: string[] = []
    const gradients: number[] = []
    const results = await accumulate(3, recordingBatch(2, log), async (gradient) => {
      gradients.push(gradient[0]!)
      return Float32Array.of(gradients.length)
    })
    expect(gradients).toEqual([expect.closeTo(1, 5), expect.closeTo(11, 5)])
    expect(results).toEqual(['batch 0 done', 'batch 1 done', 'batch 2 done'])
    expect(log).toEqual([
      ...[0, 1, 2].map((batch) => `batch ${batch} works on step 0`),
      ...[0, 1, 2].flatMap((batch) => [`batch ${batch} has θ = 1`, `batch ${batch} works on step 1`]),
      ...[0, 1, 2].map((batch) => `batch ${batch} has θ = 2`),
    ])
  })

  it('of a single batch is that batch', async () => {
    const gradients: number[] = []
    await accumulate(1, recordingBatch(2, []), async (gradient) => {
      gradients.push(gradient[0]!)
      return gradient
    })
    expect(gradients).toEqual([0, 10])
  })

  it('passes on what a batch throws, before and between its steps', async () => {
    const failing =
      (step: number) =>
      async (batch: number, apply: Apply): Promise<void> => {
        if (batch === 1 && step === 0) throw new Error('no picture')
        await apply(Float32Array.of(1))
        if (batch === 1 && step === 1) throw new Error('no picture')
        await apply(Float32Array.of(1))
      }
    for (const step of [0, 1]) await expect(accumulate(3, failing(step), async (gradient) => gradient)).rejects.toThrow('no picture')
    const tooLarge = accumulate(2, failing(9), async () => {
      throw new Error('not finite')
    })
    await expect(tooLarge).rejects.toThrow('not finite')
  })
})
