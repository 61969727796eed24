/**
 * Diffusive chain-of-thought templates: a prompt in stages along the denoising chain, such as outline, geometry and detail, each
 * with an emphasis that says where training should look (arXiv 2502.00639, "diffusive chain-of-thought").
 */
import { z } from 'zod'
import { HalfstepError } from '../errors.ts'

/** The version of the format that this program writes; files of a later one are refused. */
export const TEMPLATE_VERSION = 1

const SLOT_NAME = /^[a-z][a-z0-9-]*$/

const Fraction = z.number().min(0).max(1)

const Stage = z.strictObject({
  name: z.string().min(1),
  /** The part of the noise schedule it covers, as fractions of it: 1 is pure noise, 0 the clean picture. */
  span: z.tuple([Fraction, Fraction]),
  /** May hold `{slot}`s. */
  prompt: z.string(),
  negative: z.string().default(''),
  /** Guidance scale of this stage; the one asked for where absent. */
  guidance: z.number().min(0).optional(),
  /** How often training looks at a step of this stage, against the other stages' steps. */
  emphasis: z.number().min(0).default(1),
})
export type Stage = Readonly<z.infer<typeof Stage>>

const Slot = z.strictObject({
  description: z.string(),
  /** What stands in for a value that is not given; without it the value must be given. */
  default: z.string().optional(),
})

const Schema = z.strictObject({
  version: z.literal(TEMPLATE_VERSION),
  name: z.string().min(1),
  description: z.string().default(''),
  /** The names that `{…}` in prompts may have. `subject` is what a person's own prompt fills. */
  slots: z.record(z.string().regex(SLOT_NAME, 'a slot is named with lower-case letters, digits and -'), Slot).default({}),
  /** Each step takes its own stage's prompt, or near a border a linear mix over this width (a fraction of the schedule). */
  switch: z.union([z.literal('hard'), z.strictObject({ blend: z.number().gt(0).max(1) })]).default('hard'),
  stages: z.array(Stage).min(1),
})
export type Template = Readonly<z.infer<typeof Schema>>

/** The slot that a person's own prompt fills. */
export const SUBJECT = 'subject'

/** Spans are written by hand: ends that differ by less are the same. */
const SAME = 1e-9

/**
 * Checks a template read from JSON.
 *
 * Throws `template.malformed`, naming the source and the key, for keys that are unknown or mistyped, spans that do not cover the
 * schedule from 1 to 0 in order without holes or overlaps, slots that are not declared, and a blend wider than a stage.
 */
export function parseTemplate(raw: unknown, source: string): Template {
  const parsed = Schema.safeParse(raw)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw malformed(source, `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'it is no template'}`)
  }
  const fault = spanFault(parsed.data) ?? slotFault(parsed.data) ?? blendFault(parsed.data) ?? emphasisFault(parsed.data)
  if (fault !== undefined) throw malformed(source, fault)
  return parsed.data
}

/** The slots that occur in a text, by name. */
export function slotsIn(text: string): string[] {
  return [...text.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name)
}

/**
 * A stage's text with its slots filled. Throws `recipe.malformed` for a slot that has neither value nor default, and for a value
 * whose slot the template does not have.
 */
export function fillSlots(template: Template, text: string, values: Readonly<Record<string, string>>): string {
  const unknown = Object.keys(values).find((name) => !Object.hasOwn(template.slots, name))
  if (unknown !== undefined) {
    const known = Object.keys(template.slots)
    const nextStep = known.length === 0 ? 'It has no slots at all.' : `It has ${known.join(', ')}.`
    throw new HalfstepError('recipe.malformed', `The template ${template.name} has no slot ${unknown}.`, nextStep, { slot: unknown })
  }
  return text.replaceAll(/\{([^{}]*)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : template.slots[name]?.default
    if (value !== undefined) return value
    const nextStep = `Give a value for ${name}: ${template.slots[name]?.description ?? ''}`
    throw new HalfstepError('recipe.malformed', `The slot ${name} of the template ${template.name} has no value.`, nextStep, { slot: name })
  })
}

function spanFault({ stages }: Template): string | undefined {
  let reached = 1
  for (const [i, { name, span: [from, to] }] of stages.entries()) {
    const key = `stages.${i}.span`
    if (!(from > to)) return `${key}: the span of ${name} runs from ${from} to ${to}, but spans run downwards, from noise to picture`
    if (i === 0 && Math.abs(from - 1) > SAME) return `${key}: the first stage begins at ${from} instead of 1`
    if (from > reached + SAME) return `${key}: ${name} begins at ${from}, which the stage before it covers down to ${reached}`
    if (from < reached - SAME) return `${key}: no stage covers the schedule between ${reached} and ${from}`
    reached = to
  }
  return reached > SAME ? `stages.${stages.length - 1}.span: the last stage ends at ${reached} instead of 0` : undefined
}

function slotFault({ slots, stages }: Template): string | undefined {
  for (const [i, stage] of stages.entries()) {
    for (const key of ['prompt', 'negative'] as const) {
      const unknown = slotsIn(stage[key]).find((name) => !Object.hasOwn(slots, name))
      if (unknown !== undefined) return `stages.${i}.${key}: {${unknown}} is not among the slots`
    }
  }
  return undefined
}

/** A mix of more than two stages would be meant by nobody. */
function blendFault({ switch: mode, stages }: Template): string | undefined {
  if (mode === 'hard') return undefined
  const narrow = stages.find(({ span: [from, to] }) => from - to < mode.blend - SAME)
  return narrow === undefined ? undefined : `switch.blend: ${mode.blend} is wider than the stage ${narrow.name}`
}

function emphasisFault({ stages }: Template): string | undefined {
  return stages.some(({ emphasis }) => emphasis > 0) ? undefined : 'stages.0.emphasis: every stage has an emphasis of 0'
}

function malformed(source: string, fault: string): HalfstepError {
  return new HalfstepError('template.malformed', `${source} is no usable template; ${fault}.`, 'Correct it there.', { source })
}
