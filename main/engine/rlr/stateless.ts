import { HalfstepError } from '../errors.ts'
import type { Algorithm, ChainFacts } from './algorithm.ts'
import type { Estimator } from './update-context.ts'

type Stateless = Omit<Algorithm, 'state' | 'restore'>

/** An algorithm that remembers nothing from update to update. */
export function stateless({ name, biased, assertPossible, update }: Stateless): Algorithm {
  return {
    name,
    biased,
    assertPossible,
    update: (context, apply) => {
      assertPossible({ coefficients: context.coefficients, differentiable: context.reward.gradient !== undefined })
      return update(context, apply)
    },
    state: () => ({}),
    restore: (state) => {
      const [entry] = Object.keys(state)
      if (entry !== undefined) throw new HalfstepError('run.damaged', `The checkpoint holds ${entry}, which ${name} does not keep.`)
    },
  }
}

/** An algorithm whose update is one optimizer step along one gradient estimate. */
export function oneStep({ estimate, ...rest }: Omit<Stateless, 'update'> & { readonly estimate: Estimator }): Algorithm {
  return stateless({
    ...rest,
    update: async (context, apply) => {
      const { gradient, ...summary } = await estimate(context)
      await apply(gradient)
      return summary
    },
  })
}

/** Refuses a reward without gradient. @param who begins the sentence */
export function requireDifferentiable(who: string, { differentiable }: ChainFacts): void {
  if (differentiable) return
  throw new HalfstepError(
    'recipe.impossible',
    `${who} needs a reward with a gradient, and this one has none.`,
    'Choose a reward with a gradient, or an algorithm that needs none, such as rlr with firstOrderDepth 0.',
  )
}

/** Refuses steps before the last that add no noise. @param who begins the sentence */
export function requireNoise(who: string, { coefficients }: ChainFacts): void {
  if (coefficients.length > 1 && coefficients.slice(0, -1).every(({ sigma }) => sigma > 0)) return
  throw new HalfstepError(
    'recipe.impossible',
    `${who} needs noise in every step before the last, and some steps add none.`,
    'Set eta above 0, and steps to 2 or more.',
  )
}
