import { describe, expect, it } from 'vitest'
import type { AdapterFile } from '../../../main/engine/adapters/adapter-file.ts'
import { inspectAdapter } from '../../../main/engine/adapters/inspect.ts'
import type { LoraModule } from '../../../main/engine/adapters/lora.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { randomModule, sd1Adapter } from './example-adapters.ts'

function file(modules: readonly LoraModule[], metadata: Record<string, string> = {}): AdapterFile {
  return { path: 'a.safetensors', format: 'kohya', dtype: 'float16', modules, metadata }
}

const conv = randomModule('unet', 'conv_in', [4, 4])
const problems = (...modules: LoraModule[]) => inspectAdapter(file(modules)).problems

describe('inspecting an adapter', () => {
  it('tells format, type, family, rank, alpha, components, targets and title', () => {
    expect(inspectAdapter(file(sd1Adapter({ rank: 4, alpha: 2 }).modules, { 'modelspec.title': 'Good hands' }))).toEqual({
      format: 'kohya',
      dtype: 'float16',
      family: 'sd1',
      title: 'Good hands',
      ranks: [4],
      alphas: [2],
      modules: 13,
      parameters: sd1Adapter({ rank: 4 }).modules.reduce((count, { down, up }) => count + down.data.length + up.data.length, 0),
      components: { unet: 11, textEncoder: 2 },
      targets: { convolution: 3, embedding: 2, 'self-attention': 3, 'cross-attention': 1, 'feed-forward': 3, projection: 1 },
      problems: [],
    })
  })

  it('takes the title of sd-scripts where there is no other', () => {
    expect(inspectAdapter(file([conv], { ss_output_name: 'hands' })).title).toBe('hands')
  })

  it('reports NaN by module', () => {
    expect(problems(conv, { ...conv, path: 'conv_out', down: float32([2, 4], new Float32Array(8).fill(NaN)) })).toEqual([
      'NaN or infinite numbers in unet.conv_out.',
    ])
  })

  it('reports modules that were never trained', () => {
    const untrained = { ...conv, up: float32([4, 2], new Float32Array(8)) }
    expect(problems(untrained)).toEqual(['Up weights are all zero (untrained, without effect) in all 1 modules.'])
    expect(problems(conv, untrained, untrained)).toEqual([
      'Up weights are all zero (untrained, without effect) in 2 modules, the first being unet.conv_in.',
    ])
  })

  it('reports an alpha of zero', () => {
    expect(problems({ ...conv, alpha: 0 })).toEqual(['Alpha is zero (without effect) in all 1 modules.'])
  })

  it('reports mixed ranks', () => {
    expect(problems(conv, randomModule('unet', 'conv_out', [4, 4], { rank: 16 }))).toEqual(['Modules have different ranks (2, 16).'])
  })
})
