import { describe, expect, it } from 'vitest'
import { weightShapeOf, type Adapter } from '../../../main/engine/adapters/lora.ts'
import { matchAdapter, type AdaptableLayer } from '../../../main/engine/adapters/match.ts'
import type { Shape } from '../../../main/engine/tensor/shape.ts'
import { randomModule, sd1Adapter } from './example-adapters.ts'

const names = { adapter: 'hands.safetensors', model: 'my-model' }
const layersOf = (adapter: Adapter): AdaptableLayer[] =>
  adapter.modules.map((module) => ({ component: module.component, path: module.path, shape: weightShapeOf(module) }))
const single = (path: string, shape: Shape) => ({ metadata: {}, modules: [randomModule('unet', path, shape)] })
const TO_K = 'mid_block.attentions.0.transformer_blocks.0.attn2.to_k'

describe('matching an adapter to a model', () => {
  it('finds the layer of every module, whether text encoders say “text_model.” or not', () => {
    const adapter = sd1Adapter()
    const layers = layersOf(adapter).map((layer) => ({ ...layer, path: layer.path.replace('text_model.', '') }))
    const matches = matchAdapter(adapter, layers, names)
    expect(matches.map(({ module }) => module)).toEqual(adapter.modules)
    expect(matches.map(({ layer }) => layer)).toEqual(layers)
  })

  it.each([
    ['a linear layer’s factors for a 1×1 convolution', [4, 6], [4, 6, 1, 1]],
    ['a 1×1 convolution’s factors for a linear layer', [4, 6, 1, 1], [4, 6]],
  ])('takes %s', (_, own, shape) => {
    const adapter = single('mid_block.attentions.0.proj_in', own)
    const [match] = matchAdapter(adapter, [{ component: 'unet', path: 'mid_block.attentions.0.proj_in', shape }], names)
    expect(match && weightShapeOf(match.module)).toEqual(shape)
    expect(match?.module.up.shape).toEqual([4, 2, ...shape.slice(2)])
    expect(match?.module.down.data).toBe(adapter.modules[0]?.down.data)
  })

  it('refuses a 3×3 convolution for a linear layer', () => {
    const layers: AdaptableLayer[] = [{ component: 'unet', path: 'conv_in', shape: [4, 6] }]
    expect(() => matchAdapter(single('conv_in', [4, 6, 3, 3]), layers, names)).toThrow(/4×6×3×3/)
  })

  it('refuses a module that the model lacks, by name', () => {
    const matching = () => matchAdapter(single('conv_in', [4, 6, 3, 3]), layersOf(single('conv_out', [4, 6])), names)
    expect(matching).toThrow(expect.objectContaining({ code: 'adapter.mismatch' }))
    expect(matching).toThrow('hands.safetensors does not fit my-model: it adapts unet.conv_in (4×6×3×3), which the model does not have.')
  })

  it('does not take a layer of another component', () => {
    const layers: AdaptableLayer[] = [{ component: 'textEncoder2', path: 'conv_in', shape: [4, 6] }]
    expect(() => matchAdapter(single('conv_in', [4, 6]), layers, names)).toThrow(/does not have/)
  })

  it('names both shapes, and the family the adapter was made for, when a width differs', () => {
    const layers = layersOf(single(TO_K, [8, 2048]))
    expect(() => matchAdapter(single(TO_K, [8, 768]), layers, names)).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/attn2\.to_k with shape 8×768, where the model has 8×2048/) as string,
        nextStep: 'The adapter was made for another family: use it with a Stable Diffusion 1.x model.',
      }),
    )
  })

  it('does not speak of families when they are the same or unknown', () => {
    expect(() => matchAdapter(single(TO_K, [8, 768]), layersOf(single(TO_K, [16, 768])), names)).toThrow(
      expect.objectContaining({ nextStep: 'Use the adapter with the model it was made for.' }),
    )
  })
})
