import { stageWeights } from '../templates/stages.ts'
import { SUBJECT, fillSlots, type Stage, type Template } from '../templates/template.ts'

/** What one sample of a batch is to show. */
export interface SamplePlan {
  readonly prompt: string
  /** What it is not to show. Absent: nothing is said, for which SDXL was trained with zeros and the others with the empty prompt. */
  readonly negative?: string
  /** w of e = e_u + w (e_c − e_u); 1 is none. */
  readonly guidance: number
  /** Prompts in stages; `prompt` fills the slot `subject` unless `slots` does, and `negative` adds to every stage's own. */
  readonly template?: { readonly template: Template; readonly slots: Readonly<Record<string, string>> }
}

/** A text and its share; null is the absence of one. */
export interface WeightedText {
  readonly text: string | null
  readonly weight: number
}

/** What a sample is told at one step. Weights sum to 1. */
export interface StepPrompts {
  readonly conditional: readonly WeightedText[]
  readonly unconditional: readonly WeightedText[]
  readonly guidance: number
}

/** The prompts of a plan at a step. @param fraction timestep / training timesteps. Throws `recipe.malformed` as `fillSlots` does */
export function promptsAt(plan: SamplePlan, fraction: number): StepPrompts {
  if (plan.template === undefined) {
    const { prompt, negative = null, guidance } = plan
    return { conditional: [{ text: prompt, weight: 1 }], unconditional: [{ text: negative, weight: 1 }], guidance }
  }
  const stages = stageWeights(plan.template.template, fraction)
  return {
    conditional: stages.map(({ stage, weight }) => ({ text: positiveOf(plan, stage), weight })),
    unconditional: stages.map(({ stage, weight }) => ({ text: negativeOf(plan, stage), weight })),
    guidance: stages.reduce((sum, { stage, weight }) => sum + weight * (stage.guidance ?? plan.guidance), 0),
  }
}

/** Every text that a plan has a use for along the chain. */
export function textsOf(plan: SamplePlan, fractions: readonly number[]): string[] {
  const steps = fractions.map((fraction) => promptsAt(plan, fraction))
  const texts = steps.flatMap(({ conditional, unconditional }) => [...conditional, ...unconditional].flatMap(({ text }) => text ?? []))
  return [...new Set(texts)]
}

function positiveOf(plan: SamplePlan, stage: Stage): string {
  return filled(plan, stage.prompt)
}

function negativeOf(plan: SamplePlan, stage: Stage): string | null {
  const parts = [filled(plan, stage.negative), plan.negative ?? ''].filter((part) => part !== '')
  return parts.length === 0 ? (plan.negative ?? null) : parts.join(', ')
}

function filled({ prompt, template }: SamplePlan, text: string): string {
  if (template === undefined) return text
  const subject = Object.hasOwn(template.template.slots, SUBJECT) && prompt !== '' ? { [SUBJECT]: prompt } : {}
  return fillSlots(template.template, text, { ...subject, ...template.slots })
}
