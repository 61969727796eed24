import { describe, expect, it } from 'vitest'
import { createAlgorithm, type AlgorithmSettings } from '../../../main/engine/rlr/algorithm.ts'
import { Random } from '../../../main/engine/random/random.ts'
import { evaluationsPerBatch, refuseTooLarge, refuseUpdateTooLarge, secondsPerUpdate } from '../../../main/engine/training/preflight.ts'
import { promptsOfBatch } from '../../../main/engine/training/prompt-batches.ts'
import { TOY_ALGORITHM, toyTask } from './toy-model.ts'

/** The toy chain's length. */
const STEPS = 4

describe('evaluations per batch', () => {
  it.each<[string, AlgorithmSettings]>([
    ['rlr', TOY_ALGORITHM],
    ['rlr without first order', { ...TOY_ALGORITHM, firstOrderDepth: 0 }],
    ['rlr per step', { ...TOY_ALGORITHM, zerothOrder: { form: 'per-step', mu: 0.1, pairs: 3 } }],
    ['rlr importance', { ...TOY_ALGORITHM, coverage: 'importance', windows: 1, windowLength: 1 }],
    ['rlr importance with more windows than there are', { ...TOY_ALGORITHM, coverage: 'importance', windows: 9, windowLength: 1 }],
    ['ddpo', { kind: 'ddpo', clip: 1, innerEpochs: 2 }],
    ['alignprop', { kind: 'alignprop', depth: 2 }],
    ['reinforce', { kind: 'reinforce' }],
    ['zo', { kind: 'zo', zerothOrder: { form: 'antithetic', mu: 0.1, pairs: 2 } }],
    ['public-code', { kind: 'public-code', firstOrderWeight: 1, halfOrderWeight: 1, chainLength: 2, clip: 1 }],
    ['full', { kind: 'full' }],
  ])('of %s are those that it really asks for', async (_, settings) => {
    const task = toyTask({ algorithm: settings })
    const { cost } = await task.update({ index: 0, theta: task.initialTheta() }, async (gradient) => gradient)
    expect(createAlgorithm(settings).name).toBe(settings.kind)
    expect(evaluationsPerBatch(settings, STEPS, false)).toMatchObject(cost)
  })

  it('of several importance windows are the most that it asks for, since the last may be shorter', async () => {
    const settings: AlgorithmSettings = { ...TOY_ALGORITHM, coverage: 'importance', windows: 1, windowLength: 2 }
    const task = toyTask({ algorithm: settings })
    const most = evaluationsPerBatch(settings, STEPS, false)
    const asked: number[] = []
    for (let index = 0; index < 20; index++) {
      const { cost } = await task.update({ index, theta: task.initialTheta() }, async (gradient) => gradient)
      expect(cost.forwards).toBe(most.forwards)
      asked.push(cost.vjps)
    }
    expect(Math.max(...asked)).toBe(most.vjps)
    expect(Math.min(...asked)).toBe(most.vjps - 1)
  })

  it('count the drift penalty, and add up to seconds', () => {
    const evaluations = evaluationsPerBatch({ kind: 'full' }, 10, true)
    expect(evaluations).toEqual({ forwards: 12, vjps: 11, judgements: 0, judgementGradients: 1 })
    expect(secondsPerUpdate(evaluations, { forwards: 1, vjps: 3, judgements: 100, judgementGradients: 5 }, 2)).toBe(2 * (12 + 33 + 5))
  })
})

describe('a model that is larger than the device', () => {
  it('is refused with both figures and a remedy', () => {
    expect(() => refuseTooLarge(9e9, 8e9, 'cuda')).toThrow(
      'needs 9.00 GB for its weights and the adapter alone, and the device cuda has 8.00 GB.',
    )
  })

  it('is not refused where the device does not tell', () => expect(() => refuseTooLarge(9e9, null, 'dml')).not.toThrow())
})

describe('updates that are larger than the device', () => {
  const keys = [
    { key: 'batch.samplesPerPrompt', value: 4 },
    { key: 'sampling.width', value: 512 },
    { key: 'recomputation', value: 'attention' },
  ]

  it('are refused with what they need, what there is, and the keys to lower', () => {
    expect(() => refuseUpdateTooLarge({ held: 2e9, activations: 7e9 }, 8e9, 'cuda', keys)).toThrow(
      expect.objectContaining({
        code: 'recipe.impossible',
        message:
          'An update needs about 9.00 GB of memory (2.00 GB for weights and adapter, 7.00 GB to compute gradients), and CUDA has 8.00 GB.',
        nextStep: 'Lower batch.samplesPerPrompt (now 4), sampling.width (now 512) or recomputation (now attention).',
      }),
    )
  })

  it('are compared with what is free on the processor', () => {
    expect(() => refuseUpdateTooLarge({ held: 1e9, activations: 1e9 }, 1.5e9, 'cpu', keys.slice(1, 2))).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('the CPU has 1.50 GB free.') as string,
        nextStep: 'Lower sampling.width (now 512), or close other programs.',
      }),
    )
  })

  it('are not refused when they fit, nor where the device does not tell', () => {
    expect(() => refuseUpdateTooLarge({ held: 2e9, activations: 6e9 }, 8e9, 'cuda', keys)).not.toThrow()
    expect(() => refuseUpdateTooLarge({ held: 2e9, activations: 7e9 }, null, 'dml', keys)).not.toThrow()
  })
})

describe('prompts of batches', () => {
  it('come once each per round, in another order every round', () => {
    const prompts = ['a', 'b', 'c', 'd', 'e']
    const drawn = Array.from({ length: 10 }, (_, index) => promptsOfBatch(prompts, 2, index, new Random(1))).flat()
    const rounds = [0, 1, 2, 3].map((round) => drawn.slice(5 * round, 5 * round + 5))
    for (const round of rounds) expect(round.toSorted()).toEqual(prompts)
    expect(new Set(rounds.map((round) => round.join(''))).size).toBeGreaterThan(1)
  })
})
