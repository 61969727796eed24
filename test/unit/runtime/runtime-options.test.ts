import { describe, expect, it } from 'vitest'
import { runtimeOptions, SMALL_WEIGHTS } from '../../../main/engine/runtime/runtime-options.ts'

const model = (weightBytes: number) => ({ weightsFolder: weightBytes === 0 ? undefined : '/models', weightBytes })
const optimization = expect.anything() as unknown
const LEAN = { graphOptimizationLevel: 'extended', extra: { session: { disable_prepacking: '1' }, optimization } }

describe('the settings of the runtime', () => {
  it('leave large weights in their file on the CPU, and hold copies of small ones', () => {
    expect(runtimeOptions({ device: 'cpu' }, model(SMALL_WEIGHTS + 1))).toMatchObject(LEAN)
    const small = runtimeOptions({ device: 'cpu' }, model(SMALL_WEIGHTS))
    expect(small.graphOptimizationLevel).toBe('all')
    expect(small.extra).toEqual({ session: { model_external_initializers_file_folder_path: '/models', force_spinning_stop: '1' } })
  })

  it('have nothing to copy where weights are fed', () => expect(runtimeOptions({ device: 'cpu' }, model(0))).toMatchObject(LEAN))

  it('do as they are told', () => {
    expect(runtimeOptions({ device: 'cpu', weights: 'mapped' }, model(1))).toMatchObject(LEAN)
    expect(runtimeOptions({ device: 'cpu', weights: 'copied' }, model(SMALL_WEIGHTS + 1)).graphOptimizationLevel).toBe('all')
  })

  it('are the runtime\'s own on a GPU, which holds copies anyway', () => {
    for (const bytes of [0, 1, SMALL_WEIGHTS + 1]) {
      const { graphOptimizationLevel, extra } = runtimeOptions({ device: 'cuda' }, model(bytes))
      expect([graphOptimizationLevel, extra?.['optimization']]).toEqual(['all', undefined])
    }
  })
})
