import type { Stage, Template } from './template.ts'

/** A stage and its share of a step. */
export interface WeightedStage {
  readonly stage: Stage
  /** In (0, 1]; the weights of a step sum to 1. */
  readonly weight: number
}

/**
 * Which stages a step belongs to: one, or near a border of a blending template two.
 *
 * With borders b_k between stages k−1 and k and a blend of width w, the share of the schedule behind b_k is
 * s_k(f) = clamp((b_k + w/2 − f) / w, 0, 1), and stage k weighs s_k − s_{k+1}.
 *
 * @param fraction timestep / training timesteps: 1 is pure noise, 0 the clean picture
 */
export function stageWeights({ stages, switch: mode }: Template, fraction: number): WeightedStage[] {
  const entered = stages.map(({ span: [from] }, i) => {
    if (i === 0) return 1
    if (mode === 'hard') return fraction <= from ? 1 : 0
    return Math.min(1, Math.max(0, (from + mode.blend / 2 - fraction) / mode.blend))
  })
  return stages
    .map((stage, i) => ({ stage, weight: (entered[i] ?? 0) - (entered[i + 1] ?? 0) }))
    .filter(({ weight }) => weight > 0)
}

/** The emphasis of every step of a chain, for a proposal of windows; not normalised. @param timesteps noisiest first */
export function emphasisPerStep(template: Template, timesteps: readonly number[], trainTimesteps: number): number[] {
  return timesteps.map((timestep) =>
    stageWeights(template, timestep / trainTimesteps).reduce((sum, { stage, weight }) => sum + weight * stage.emphasis, 0),
  )
}
