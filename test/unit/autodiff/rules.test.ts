import { describe, expect, it } from 'vitest'
import { rules } from '../../../main/engine/autodiff/rules/index.ts'
import * as ops from '../../../main/engine/graph/ops/index.ts'
import type { Operator } from '../../../main/engine/graph/operators.ts'
import type { Scope, Value } from '../../../main/engine/graph/graph.ts'
import { jacobianError, jacobians, spread } from './jacobian.ts'
import { OPERATOR_CASES } from './operator-cases.ts'

for (const [operator, cases] of Object.entries(OPERATOR_CASES)) {
  if (cases === 'no gradient') continue
  describe(`the gradient of ${operator} equals centred differences`, () => {
    it.each(cases)('%s', async (_, at, build) => {
      const { ours, differences } = await jacobians({ at, build })
      at.forEach((_, i) => expect(jacobianError(ours[i] ?? [], differences[i] ?? [])).toBeLessThan(3e-3))
    })
  })
}

describe('composite functions', () => {
  it.each([
    ['silu', ops.silu],
    ['gelu', ops.gelu],
    ['geluTanh', ops.geluTanh],
    ['quickGelu', ops.quickGelu],
  ] as [string, (g: Scope, x: Value) => Value][])('%s differentiates to centred differences', async (_, f) => {
    const { ours, differences } = await jacobians({ at: [spread([9], -3, 3)], build: (g, x) => f(g, x) })
    expect(jacobianError(ours[0] ?? [], differences[0] ?? [])).toBeLessThan(3e-3)
  })
})

describe('the table of rules', () => {
  it('has cases for every operator with a rule, and only for those', () => {
    for (const [operator, entry] of Object.entries(rules)) {
      expect([operator, OPERATOR_CASES[operator as Operator] === 'no gradient']).toEqual([operator, entry.kind !== 'rule'])
    }
  })
})
