import { describe, expect, it } from 'vitest'
import { checkModule, deltaOf, weightShapeOf, type LoraModule } from '../../../main/engine/adapters/lora.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { randomModule, randomTensor } from './example-adapters.ts'

describe('the change of a weight', () => {
  it('is (alpha / rank) · B A', () => {
    const module: LoraModule = {
      component: 'unet',
      path: 'conv_in',
      down: float32([2, 3], [1, 2, 3, 4, 5, 6]),
      up: float32([2, 2], [1, 10, 0, -1]),
      alpha: 1,
    }
    expect(deltaOf(module)).toEqual(float32([2, 3], [20.5, 26, 31.5, -2, -2.5, -3]))
  })

  it('has the shape of the convolution it changes', () => {
    expect(weightShapeOf(randomModule('unet', 'conv_in', [8, 4, 3, 3]))).toEqual([8, 4, 3, 3])
    expect(deltaOf(randomModule('unet', 'conv_in', [8, 4, 3, 3])).shape).toEqual([8, 4, 3, 3])
  })
})

describe('a module', () => {
  const good = randomModule('unet', 'conv_in', [8, 4, 3, 3])
  const cases: [string, Partial<LoraModule>, RegExp][] = [
    ['whose factors have different ranks', { up: randomTensor([8, 3, 1, 1], 1) }, /8×3×1×1 does not fit its down weight 2×4×3×3/],
    ['of a convolution whose up weight is no 1×1 convolution', { up: randomTensor([8, 2], 1) }, /does not fit/],
    ['of three dimensions', { down: randomTensor([2, 4, 3], 1) }, /2×4×3/],
    ['of rank zero', { down: float32([0, 4], []), up: float32([8, 0], []) }, /empty/],
    ['whose alpha is NaN', { alpha: NaN }, /alpha is NaN/],
  ]
  it.each(cases)('%s is refused by name', (_, change, cause) => {
    expect(() => checkModule(good, 'a.safetensors')).not.toThrow()
    expect(() => checkModule({ ...good, ...change }, 'a.safetensors')).toThrow(cause)
    expect(() => checkModule({ ...good, ...change }, 'a.safetensors')).toThrow(/^a\.safetensors .*unet\.conv_in/)
  })
})
