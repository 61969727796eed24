import { describe, expect, it } from 'vitest'
import { GradientAccounting } from '../../../main/engine/rlr/accounting.ts'
import type { StepAccount } from '../../../main/engine/rlr/update-context.ts'

const half = (norm: number | null): StepAccount => ({ coverage: 'half-order', norm })
const none: StepAccount = { coverage: 'none', norm: null }

describe('GradientAccounting', () => {
  it('keeps mean, root mean square and variance of each step\'s norm, and what covered it', () => {
    const accounting = new GradientAccounting(3, 1)
    accounting.observe([half(1), none, { coverage: 'first-order', norm: 5 }])
    accounting.observe([half(3), none, { coverage: 'zeroth-order', norm: null }])
    const [first, second, third] = accounting.summary()
    expect(first).toMatchObject({ meanNorm: 2, normVariance: 1, covered: { 'half-order': 2 } })
    expect(first!.rmsNorm).toBeCloseTo(Math.sqrt(5))
    expect(second).toMatchObject({ meanNorm: null, rmsNorm: null, normVariance: null, covered: { none: 2 } })
    expect(third).toMatchObject({ meanNorm: 5, covered: { 'first-order': 1, 'zeroth-order': 1 } })
  })

  it('lets old updates fade', () => {
    const accounting = new GradientAccounting(1, 0.5)
    accounting.observe([half(8)])
    accounting.observe([half(2)])
    expect(accounting.summary()[0]!.meanNorm).toBeCloseTo((0.5 * 8 + 2) / 1.5)
  })

  it('leaves out norms that are not finite', () => {
    const accounting = new GradientAccounting(1)
    accounting.observe([half(NaN)])
    accounting.observe([half(Infinity)])
    expect(accounting.summary()[0]).toMatchObject({ meanNorm: null, covered: { 'half-order': 2 } })
  })

  it('gives a proposal norms for all steps once one is known, and none before', () => {
    const accounting = new GradientAccounting(3, 1)
    expect(accounting.normPerStep()).toEqual([])
    accounting.observe([half(1), half(3), none])
    expect(accounting.normPerStep()).toEqual([1, 3, 2])
  })

  it('goes on from its state, and refuses that of another chain', () => {
    const accounting = new GradientAccounting(2)
    accounting.observe([half(1), half(4)])
    const restored = new GradientAccounting(2)
    restored.restore(accounting.state())
    expect(restored.summary()).toEqual(accounting.summary())
    expect(() => new GradientAccounting(3).restore(accounting.state())).toThrow(/chain of 3 steps/)
  })
})
