import type { Algorithm } from '../algorithm.ts'
import { oneStep, requireDifferentiable } from '../stateless.ts'
import { truncatedBackpropagation } from './alignprop.ts'

/** Backpropagation through all steps, each recomputed in its turn: the ground truth on small models, and the dearest. */
export function full(): Algorithm {
  return oneStep({
    name: 'full',
    biased: undefined,
    assertPossible: (chain) => requireDifferentiable('full', chain),
    estimate: (context) => truncatedBackpropagation(context, context.coefficients.length),
  })
}
