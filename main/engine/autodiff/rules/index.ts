import type { Operator } from '../../graph/operators.ts'
import type { RuleTable } from '../rule.ts'
import { elementwiseRules } from './elementwise.ts'
import { normalizationRules } from './normalization.ts'
import { productRules } from './products.ts'
import { reductionRules } from './reductions.ts'
import { shapingRules } from './shaping.ts'
import { windowRules } from './windows.ts'

/** What differentiation knows of every operator; the compiler checks that none is left out. */
export const rules: RuleTable<Operator> = {
  ...elementwiseRules,
  ...productRules,
  ...windowRules,
  ...normalizationRules,
  ...reductionRules,
  ...shapingRules,
  If: { kind: 'not-differentiable', reason: 'which branch runs is known only while it runs' },
}
