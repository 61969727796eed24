import { HalfstepError } from '../errors.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import type { ChainFacts } from './algorithm.ts'
import { addTo, mean } from './batch-arithmetic.ts'
import { leaveOneOut } from './baseline.ts'
import { counted } from './counted-denoiser.ts'
import { firstOrder } from './first-order.ts'
import { halfOrder } from './half-order.ts'
import type { LearnedBaseline } from './learned-baseline.ts'
import { rollOut } from './rollout.ts'
import { StepAccounts } from './step-accounts.ts'
import type { GradientEstimate, UpdateContext } from './update-context.ts'
import { positionsOf, type Window } from './walk-back.ts'
import { drawWithoutRepetition, partition, slidingWindows, windowProbabilities, type Proposal } from './windows.ts'
import { zerothOrder, type ZerothOrderSettings } from './zeroth-order.ts'

/** The settings of Recursive Likelihood Ratio (arXiv 2502.00639) and of its generalisations. */
export interface RlrSettings {
  /**
   * K ≥ 0: the last K steps take the first-order gradient. 1 is the paper's; 0 needs no differentiable reward, and then only
   * zeroth-order coverage reaches the last step.
   */
  readonly firstOrderDepth: number
  /** h ≥ 1: steps in a half-order window. */
  readonly windowLength: number
  /** Half-order windows per update. Only `importance` coverage can use more than one. */
  readonly windows: number
  /**
   * What covers the steps outside the window: `zeroth-order` is the paper's; `importance` draws m windows from a partition of all
   * steps, none twice, and weighs each by the inverse of its chance to be drawn, which is as unbiased; `none` leaves them out, which
   * is biased.
   */
  readonly coverage: 'zeroth-order' | 'importance' | 'none'
  readonly proposal: Proposal
  readonly zerothOrder: ZerothOrderSettings
  /** Weight of the first-order term. Any other than 1 is biased. */
  readonly firstOrderWeight: number
  /** What half order subtracts from a reward. None of them biases it; they differ in variance. */
  readonly baseline: BaselineKind
}

/**
 * `leave-one-out`: the mean reward of the prompt's other samples. `learned`: a prediction from the latent that enters the window,
 * for batches with few samples per prompt. `none`: zero.
 */
export type BaselineKind = 'leave-one-out' | 'learned' | 'none'

/** Why the mean of RLR's estimate is not ∇J with these settings, as one sentence; undefined when it is. */
export function biasOfRlr({ firstOrderDepth, firstOrderWeight, coverage, windows }: RlrSettings): string | undefined {
  if (firstOrderDepth > 0 && firstOrderWeight !== 1) return `The first-order term has a weight of ${firstOrderWeight} and not 1.`
  if (coverage === 'none') return 'The steps outside the window are left out.'
  if (coverage === 'importance' && windows === 0) return 'Without windows, the steps before the first-order ones are left out.'
  if (coverage === 'importance' && firstOrderDepth === 0) return 'The last step adds no noise, so no window covers it, and it is left out.'
  return undefined
}

/** A window that was drawn, and the weight of its gradient. */
interface DrawnWindow {
  readonly window: Window
  readonly weight: number
}

/**
 * RLR's estimate ĝ = ĝ_first + ĝ_window + ĝ_rest, in which every step of the chain is covered exactly once (in expectation, for
 * `importance`). First and half order are evaluated on one unperturbed rollout, which all windows share.
 * @param learned the baseline that `baseline: 'learned'` asks for; it learns from this update's rewards after they were used
 * @throws HalfstepError `recipe.impossible` when the settings do not fit the chain or the reward
 */
export async function rlr(settings: RlrSettings, context: UpdateContext, learned?: LearnedBaseline): Promise<GradientEstimate> {
  const { coefficients, noise, theta, groups, reward, random, update } = context
  assertRlrPossible(settings, { coefficients, differentiable: reward.gradient !== undefined })
  const { denoiser, cost } = counted(context.denoiser)
  const total = coefficients.length
  const depth = settings.firstOrderDepth
  const drawn = drawWindows(settings, context)
  const late = Array.from({ length: depth }, (_, i) => total - depth + i)

  const keep = new Set([...late, ...drawn.flatMap(({ window }) => positionsOf(window))])
  const { x0, latents } = await rollOut(denoiser, coefficients, noise, () => theta, keep)
  const perSample = new Float64Array(groups.length).fill(1 / groups.length)
  const gradient = new Float32Array(theta.length)
  const accounts = new StepAccounts(total)

  let rewards: Float64Array
  if (depth > 0 && reward.gradient !== undefined) {
    const { values, dx0 } = await reward.gradient(x0, perSample)
    rewards = values
    const part = await firstOrder(denoiser, coefficients, latents, depth, theta, dx0)
    addTo(gradient, part.gradient, settings.firstOrderWeight)
    accounts.add(late, 'first-order', part.normPerStep)
  } else rewards = await reward.value(x0)

  const baselineOf = baselines(settings.baseline, rewards, groups, learned)
  for (const { window, weight } of drawn) {
    const baseline = baselineOf(window, latents)
    const advantages = rewards.map((value, b) => (value - (baseline[b] ?? 0)) / groups.length)
    const part = await halfOrder(denoiser, coefficients, latents, window, theta, noise.step(window.last), advantages)
    addTo(gradient, part.gradient, weight)
    accounts.add(positionsOf(window), 'half-order', part.normPerStep)
  }
  if (settings.baseline === 'learned') for (const { window } of drawn) learned?.observe(window.first, entering(window, latents), rewards)

  if (settings.coverage === 'zeroth-order') {
    const covered = new Set([...late, ...drawn.flatMap(({ window }) => positionsOf(window))])
    const rest = new Set([...coefficients.keys()].filter((position) => !covered.has(position)))
    const meanReward = async (thetaAt: (position: number) => Float32Array): Promise<number> =>
      mean(await reward.value((await rollOut(denoiser, coefficients, noise, thetaAt)).x0))
    const directions = (pair: number, position: number): Float32Array =>
      random.normal('direction', [update, pair * total + position], [theta.length]).data
    addTo(gradient, await zerothOrder(settings.zerothOrder, rest, theta, directions, meanReward, mean(rewards)))
    accounts.add([...rest], 'zeroth-order')
  }
  return { gradient, rewards, steps: accounts.list(), cost }
}

type BaselineOf = (window: Window, latents: ReadonlyMap<number, FloatTensor>) => Float64Array

/** The baseline per sample, for any window of one rollout. */
function baselines(kind: BaselineKind, rewards: Float64Array, groups: readonly number[], learned: LearnedBaseline | undefined): BaselineOf {
  if (kind === 'none') return () => new Float64Array(groups.length)
  if (kind === 'learned' && learned === undefined) throw new TypeError('a learned baseline was asked for and none was given')
  // A baseline that has seen nothing yet would be zero.
  if (kind === 'learned' && learned?.informed) return (window, latents) => learned.predict(window.first, entering(window, latents))
  const others = leaveOneOut(rewards, groups)
  return () => others
}

/** The latent that enters a window. */
function entering({ first }: Window, latents: ReadonlyMap<number, FloatTensor>): FloatTensor {
  const latent = latents.get(first)
  if (latent === undefined) throw new RangeError(`the latent at position ${first} was not kept`)
  return latent
}

/** How many steps half-order windows may cover: those before the first-order ones, and never the last, which adds no noise. */
function earlySteps({ firstOrderDepth }: RlrSettings, { coefficients }: Pick<ChainFacts, 'coefficients'>): number {
  return coefficients.length - Math.max(1, firstOrderDepth)
}

/** Draws this update's windows. */
function drawWindows(settings: RlrSettings, context: UpdateContext): DrawnWindow[] {
  const { random, update } = context
  const early = earlySteps(settings, context)
  if (settings.windows === 0 || early === 0) return []
  if (settings.coverage !== 'importance') {
    // Whatever the window is, the other steps are covered in another way: no weight is needed.
    const windows = slidingWindows(early, settings.windowLength)
    const chosen = windows[random.choice('window', [update], windowProbabilities(windows, settings.proposal))]
    return chosen === undefined ? [] : [{ window: chosen, weight: 1 }]
  }
  const windows = partition(early, settings.windowLength)
  const [u = 0] = random.uniform('window', [update], 1)
  return drawWithoutRepetition(windowProbabilities(windows, settings.proposal), settings.windows, u)
    .map(({ index, weight }) => ({ window: windows[index]!, weight }))
}

/** Throws `recipe.impossible` when the settings do not fit a chain, or need a gradient that the reward does not have. */
export function assertRlrPossible(settings: RlrSettings, chain: ChainFacts): void {
  const { firstOrderDepth: depth, windowLength, windows, coverage } = settings
  const { coefficients, differentiable } = chain
  const early = earlySteps(settings, chain)
  const refuse = (message: string, nextStep: string): never => {
    throw new HalfstepError('recipe.impossible', message, nextStep)
  }
  if (depth > 0 && !differentiable) {
    refuse('First order needs a reward with a gradient, and this one has none.', 'Set firstOrderDepth to 0, or choose another reward.')
  }
  if (depth > coefficients.length) {
    refuse(`A first-order depth of ${depth} is more than the ${coefficients.length} steps of the chain.`, 'Lower firstOrderDepth.')
  }
  if (windows === 0 || early === 0) return
  if (coverage !== 'importance' && windows > 1) {
    refuse('Only importance coverage takes several windows.', 'Set windows to 1, or coverage to importance.')
  }
  if (windowLength > early) {
    refuse(`A window of ${windowLength} steps does not fit the ${early} steps that it may cover.`, 'Lower windowLength.')
  }
  if (coefficients.slice(0, early).some(({ sigma }) => !(sigma > 0))) {
    refuse('Half order needs noise in every step before the last, and some steps add none.', 'Set eta above 0.')
  }
}
