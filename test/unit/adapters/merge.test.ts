import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import { describe, expect, it } from 'vitest'
import { deltaOf, moduleKey, rankOf, type Adapter, type LoraModule } from '../../../main/engine/adapters/lora.ts'
import { mergeAdapters, type MergePart } from '../../../main/engine/adapters/merge.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { byName, randomModule, relativeError, sd1Adapter, sdxlAdapter } from './example-adapters.ts'

const a = sd1Adapter({ rank: 2, alpha: 1, seed: 1 })
const b = sd1Adapter({ rank: 3, alpha: 6, seed: 50 })
const part = (adapter: Adapter, strength: number, name = 'a.safetensors'): MergePart => ({ adapter, strength, name })

/** Σ strength · ΔW of one module, in full. */
function denseSum(name: string, parts: readonly MergePart[]): number[] {
  const terms = parts.flatMap(({ adapter, strength }) => {
    const module = byName(adapter).get(name)
    return module ? [Array.from(deltaOf(module).data, (value) => strength * value)] : []
  })
  return terms.reduce((sum, term) => sum.map((value, i) => value + (term[i] ?? 0)))
}

function only(adapter: Adapter): LoraModule {
  const [module] = adapter.modules
  if (!module || adapter.modules.length !== 1) throw new Error('expected one module')
  return module
}

describe('an exact merge', () => {
  it.each([
    [0.7, 0.3],
    [1, -0.5],
    [0, 2],
  ])('at %f and %f changes every weight by the weighted sum', (x, y) => {
    const parts = [part(a, x), part(b, y)]
    const { adapter, keptEnergy } = mergeAdapters(parts)
    expect(keptEnergy).toBe(1)
    expect(adapter.modules).toHaveLength(a.modules.length)
    for (const [name, module] of byName(adapter)) {
      expect(rankOf(module)).toBe(5)
      expect(relativeError(deltaOf(module).data, denseSum(name, parts))).toBeLessThan(1e-6)
    }
  })

  it('of one adapter scales it', () => {
    const parts = [part(a, -2)]
    for (const [name, module] of byName(mergeAdapters(parts).adapter)) {
      expect(relativeError(deltaOf(module).data, denseSum(name, parts))).toBeLessThan(1e-6)
    }
  })

  it('keeps modules that only one adapter has', () => {
    const left = { metadata: {}, modules: [randomModule('unet', 'conv_in', [4, 4])] }
    const right = { metadata: {}, modules: [randomModule('textEncoder', 'text_projection', [4, 4])] }
    const { adapter } = mergeAdapters([part(left, 1), part(right, 1)])
    expect(adapter.modules.map(moduleKey)).toEqual(['unet.conv_in', 'textEncoder.text_projection'])
  })

  it('takes the same module of two components for two modules', () => {
    expect(mergeAdapters([part(sdxlAdapter(), 1), part(sdxlAdapter({ seed: 9 }), 1)]).adapter.modules).toHaveLength(5)
  })

  it('notes what went in, without folders, and the base that all share', () => {
    const metadata = { ss_base_model_version: 'sd_v1', ss_v2: 'False' }
    const merged = mergeAdapters([
      part({ ...a, metadata }, 0.7, '/home/somebody/hands.safetensors'),
      part({ ...b, metadata: { ...metadata, ss_v2: 'True' } }, 0.3, 'C:\\files\\light.safetensors'),
    ])
    expect(merged.adapter.metadata).toEqual({
      ss_base_model_version: 'sd_v1',
      'halfstep.merged_from': '[{"name":"hands.safetensors","strength":0.7},{"name":"light.safetensors","strength":0.3}]',
    })
  })
})

describe('a merge to a rank', () => {
  it.each([
    ['a linear layer', [12, 10]],
    ['a convolution', [12, 4, 3, 3]],
  ])('of %s errs by exactly the discarded singular values', (_, shape) => {
    const parts = [1, 20].map((seed) => part({ metadata: {}, modules: [randomModule('unet', 'conv_in', shape, { rank: 4, seed })] }, 0.5))
    const exact = deltaOf(only(mergeAdapters(parts).adapter)).data
    const { adapter, keptEnergy } = mergeAdapters(parts, { rank: 3 })
    const module = only(adapter)
    const values = new SingularValueDecomposition(Matrix.from1DArray(12, exact.length / 12, exact), { autoTranspose: true }).diagonal
    const squares = values.map((value) => value * value)
    const total = squares.reduce((sum, value) => sum + value)
    const discarded = squares.slice(3).reduce((sum, value) => sum + value)
    expect(module.down.shape).toEqual([3, ...shape.slice(1)])
    expect(module.up.shape).toEqual(shape.length === 4 ? [12, 3, 1, 1] : [12, 3])
    expect(relativeError(deltaOf(module).data, exact)).toBeCloseTo(Math.sqrt(discarded / total), 5)
    expect(keptEnergy).toBeCloseTo(1 - discarded / total, 5)
  })

  it('that holds everything changes nothing', () => {
    const { adapter, keptEnergy } = mergeAdapters([part(a, 0.7), part(b, 0.3)], { rank: 5 })
    expect(keptEnergy).toBeCloseTo(1, 10)
    for (const [name, module] of byName(adapter)) {
      expect(relativeError(deltaOf(module).data, denseSum(name, [part(a, 0.7), part(b, 0.3)]))).toBeLessThan(1e-5)
    }
  })

  it('takes untrained modules, whose change is zero', () => {
    const module = randomModule('unet', 'conv_in', [4, 4])
    const untrained = { metadata: {}, modules: [{ ...module, up: float32([4, 2], new Float32Array(8)) }] }
    const { adapter, keptEnergy } = mergeAdapters([part(untrained, 1)], { rank: 1 })
    expect(keptEnergy).toBe(1)
    expect(deltaOf(only(adapter)).data.every((value) => value === 0)).toBe(true)
  })
})

describe('a merge is refused', () => {
  it('when two adapters have a module in different shapes, naming module, files and shapes', () => {
    const left = { metadata: {}, modules: [randomModule('unet', 'conv_in', [4, 8])] }
    const right = { metadata: {}, modules: [randomModule('unet', 'conv_in', [4, 16])] }
    const merging = () => mergeAdapters([part(left, 1, 'l.safetensors'), part(right, 1, 'r.safetensors')])
    expect(merging).toThrow(expect.objectContaining({ code: 'adapter.mismatch' }))
    expect(merging).toThrow(/l\.safetensors and r\.safetensors .*unet\.conv_in as 4×8 and as 4×16/)
  })

  it('when an adapter holds NaN', () => {
    const module = { ...randomModule('unet', 'conv_in', [2, 2]), up: float32([2, 2], [1, NaN, 1, 1]) }
    expect(() => mergeAdapters([part({ metadata: {}, modules: [module] }, 1)])).toThrow(/NaN .*unet\.conv_in/)
  })

  it.each([
    ['nothing to merge', [], {}],
    ['a strength that is no number', [part(a, NaN)], {}],
    ['a rank of zero', [part(a, 1)], { rank: 0 }],
    ['a rank and a half', [part(a, 1)], { rank: 1.5 }],
  ])('for %s', (_, parts, options) => {
    expect(() => mergeAdapters(parts, options)).toThrow(expect.objectContaining({ code: 'usage' }))
  })
})
