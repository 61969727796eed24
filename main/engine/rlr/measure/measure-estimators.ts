import { createAlgorithm, type Algorithm } from '../algorithm.ts'
import type { UpdateContext } from '../update-context.ts'
import type { Candidate } from './estimator-grid.ts'
import { GradientMoments, dot, jackknife, productOfMeans, type Estimate } from './gradient-moments.ts'

/** What draws of one estimator tell. */
export interface EstimatorFigures {
  readonly label: string
  /** Why its mean is not the exact gradient, as one sentence; null when it is. */
  readonly biased: string | null
  readonly draws: number
  /** ‖ĝ averaged over the draws‖ */
  readonly meanNorm: Estimate
  /** E‖ĝ − E ĝ‖² of one draw. */
  readonly variance: Estimate
  /**
   * Between its mean and the exact gradient, over the same draws: noise of its own lowers it, noise that both hold raises it. Null
   * where there is no exact gradient.
   */
  readonly cosine: Estimate | null
  /** ⟨E ĝ, exact⟩ / ‖exact‖²: how much of the exact gradient its mean holds, 1 when unbiased, whatever the noise. Null as above. */
  readonly share: Estimate | null
  /** Evaluations per draw. */
  readonly forwards: number
  readonly vjps: number
  readonly seconds: number
  /** What is left of the variance after a second of averaging: the smaller the better. */
  readonly varianceSeconds: Estimate
}

export interface MeasureOptions {
  readonly draws: number
  /** The context of a draw: the same for the same index, whoever asks. */
  readonly context: (draw: number) => Promise<UpdateContext>
  /** Called before each draw. */
  readonly onDraw?: (label: string, draw: number) => void
}

/**
 * Draws every estimator at the same parameters on the same prompts and noises. The exact gradient is that of `full`, which is
 * pathwise through all steps, averaged over the draws; without it among the candidates there is none.
 */
export async function measureEstimators(candidates: readonly Candidate[], options: MeasureOptions): Promise<EstimatorFigures[]> {
  const full = candidates.find(({ settings }) => settings.kind === 'full')
  const reference = full === undefined ? undefined : await drawAll(full, options)
  const figures: EstimatorFigures[] = []
  for (const candidate of candidates) {
    const own = candidate === full && reference !== undefined ? reference : await drawAll(candidate, options)
    figures.push(figuresOf(candidate, own, reference?.moments))
  }
  return figures
}

interface Drawn {
  readonly algorithm: Algorithm
  readonly moments: GradientMoments
  readonly draws: number
  readonly forwards: number
  readonly vjps: number
  readonly seconds: number
}

async function drawAll({ label, settings }: Candidate, { draws, context, onDraw }: MeasureOptions): Promise<Drawn> {
  const algorithm = createAlgorithm(settings)
  const moments = new GradientMoments()
  const spent = { forwards: 0, vjps: 0, seconds: 0 }
  // What is compiled on first use must not count: one draw more, whose gradient is dropped.
  const first = await context(draws)
  await algorithm.update(first, async () => first.theta)
  for (let draw = 0; draw < draws; draw++) {
    onDraw?.(label, draw)
    const drawn = await context(draw)
    // What it gives the optimizer within one update is one estimate; the parameters stay where they are.
    const sum = new Float32Array(drawn.theta.length)
    const started = performance.now()
    const { cost } = await algorithm.update(drawn, async (gradient) => {
      gradient.forEach((value, i) => (sum[i] = (sum[i] ?? 0) + value))
      return drawn.theta
    })
    spent.seconds += (performance.now() - started) / 1000
    spent.forwards += cost.forwards
    spent.vjps += cost.vjps
    moments.add(sum)
  }
  return { algorithm, moments, draws, forwards: spent.forwards / draws, vjps: spent.vjps / draws, seconds: spent.seconds / draws }
}

function figuresOf({ label }: Candidate, drawn: Drawn, exact: GradientMoments | undefined): EstimatorFigures {
  const { algorithm, moments, draws, forwards, vjps, seconds } = drawn
  const { blocks } = moments
  const variance = jackknife(blocks, (without) => moments.without(without).variance)
  const against = (figure: (exact: GradientMoments, without?: number) => number): Estimate | null =>
    exact === undefined ? null : jackknife(blocks, (without) => figure(exact, without))
  return {
    label,
    biased: algorithm.biased ?? null,
    draws,
    meanNorm: jackknife(blocks, (without) => length(moments.without(without).mean)),
    variance,
    cosine: against((truth, without) => cosine(moments.without(without).mean, truth.without(without).mean)),
    share: against((truth, without) => productOfMeans(moments, truth, without) / productOfMeans(truth, truth, without)),
    forwards,
    vjps,
    seconds,
    varianceSeconds: { value: variance.value * seconds, standardError: variance.standardError * seconds },
  }
}

function cosine(a: Float64Array, b: Float64Array): number {
  return dot(a, b) / (length(a) * length(b))
}

function length(vector: Float64Array): number {
  return Math.sqrt(dot(vector, vector))
}

/** The unbiased estimator that leaves the least variance after equal time; `full` is the truth to compare with, and not a choice. */
export function bestOf(figures: readonly EstimatorFigures[]): EstimatorFigures | undefined {
  return figures
    .filter(({ label, biased, varianceSeconds }) => label !== 'full' && biased === null && Number.isFinite(varianceSeconds.value))
    .toSorted((a, b) => a.varianceSeconds.value - b.varianceSeconds.value)[0]
}
