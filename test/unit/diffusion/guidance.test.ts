import fc from 'fast-check'
import { expect, it } from 'vitest'
import { branchGradients, guide, isGuided } from '../../../main/engine/diffusion/guidance.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'

const SHAPE = [2, 3]
const number = fc.double({ min: -3, max: 3, noNaN: true })
const numbers = fc.array(number, { minLength: 6, maxLength: 6 }).map((values) => float32(SHAPE, values))
const scales = fc.tuple(fc.double({ min: 0, max: 12, noNaN: true }), fc.double({ min: 0, max: 12, noNaN: true }))

it('guides each sample by its own scale', () => {
  const e = guide(float32(SHAPE, [0, 1, 2, 3, 4, 5]), float32(SHAPE, [1, 1, 1, 1, 1, 1]), [2, 1])
  expect([...e.data]).toEqual([2, 1, 0, 1, 1, 1])
})

it('sends back the gradient of what it does: ⟨u, de⟩ = ⟨u_c, dc⟩ + ⟨u_u, du⟩', () => {
  fc.assert(fc.property(numbers, numbers, numbers, scales, (c, u, upstream, w) => {
    const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
    const { conditional, unconditional } = branchGradients(upstream, w)
    const forward = dot(upstream.data, guide(u, c, w).data)
    expect(dot(conditional.data, c.data) + dot(unconditional.data, u.data)).toBeCloseTo(forward, 2)
  }))
})

it('is none where every scale is 1', () => expect([isGuided([1, 1]), isGuided([1, 7]), isGuided([0])]).toEqual([false, true, true]))
