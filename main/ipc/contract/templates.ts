import { z } from 'zod'
import { type CallTable, Count, type EventTable, Id, Key, nothing, TaskName, Timestamp } from './shared.ts'

/** A part of the chain with prompts of its own. */
export const TemplateStage = z.strictObject({
  name: z.string(),
  /** The part of the noise schedule it covers, downwards: 1 is pure noise, 0 the clean picture. */
  span: z.tuple([z.number(), z.number()]),
  /** May hold `{slot}`s. */
  prompt: z.string(),
  negative: z.string().default(''),
  /** Guidance scale of this stage; the one asked for where absent. */
  guidance: z.number().optional(),
  /** How often training looks at a step of this stage, against the other stages' steps. */
  emphasis: z.number().default(1),
})

/** Prompts in stages along the chain from noise to picture. Whether it is sound is judged when it is saved. */
export const Template = z.strictObject({
  version: z.literal(1),
  name: z.string(),
  description: z.string().default(''),
  /** Names that `{…}` in prompts may have. `subject` is what the person's own prompt fills. */
  slots: z.record(z.string(), z.strictObject({ description: z.string(), default: z.string().optional() })).default({}),
  /** Each step takes its own stage's prompt, or near a border a mix over this share of the schedule. */
  switch: z.union([z.literal('hard'), z.strictObject({ blend: z.number() })]).default('hard'),
  stages: z.array(TemplateStage),
})

export const TemplateEntry = z.strictObject({
  /** An id, or the name of one that comes with Halfstep and cannot be changed. */
  key: Key,
  name: z.string(),
  builtIn: z.boolean(),
  template: Template,
  updatedAt: Timestamp.nullable(),
})

export type TemplateStage = z.infer<typeof TemplateStage>
export type Template = z.infer<typeof Template>
export type TemplateEntry = z.infer<typeof TemplateEntry>

export const TEMPLATE_CALLS = {
  /** The person's own, then those that come with Halfstep. */
  'templates.list': { args: nothing, result: z.array(TemplateEntry) },
  /** Changes the template with the key; adds a new one without. Fails with `template.malformed`, in a sentence that names the key. */
  'templates.save': { args: z.strictObject({ key: Key.optional(), template: Template }), result: TemplateEntry },
  /** From the text of a .json file, which the page reads. For export a page writes the template's JSON. */
  'templates.import': { args: z.strictObject({ text: z.string().max(2 ** 20), name: z.string().max(300) }), result: TemplateEntry },
  /**
   * Draws one picture with a template, saved or not, and tells on the way what the model takes it for (`templates.picture`, under the
   * task's name). A task: `done` counts steps. Fails with `template.malformed`, and as opening the model does.
   */
  'templates.preview': {
    args: z.strictObject({
      template: Template,
      slots: z.record(z.string(), z.string()).default({}),
      modelId: Id,
      prompt: z.string().max(10_000),
      seed: Count.default(0),
      steps: z.int().min(1).max(200).default(24),
      guidance: z.number().min(0).max(100).default(5),
      task: TaskName,
    }),
    result: z.strictObject({ notes: z.array(z.string()) }),
  },
  /** Into the bin. */
  'templates.remove': { args: z.strictObject({ key: Key }), result: nothing },
} as const satisfies CallTable

export const TEMPLATE_EVENTS = {
  /** What the model takes a picture for at a place of the noise schedule (1 pure noise, 0 the picture itself), as `src` takes it. */
  'templates.picture': z.strictObject({
    task: z.string(),
    fraction: z.number().min(0).max(1),
    picture: z.string().startsWith('data:image/png;base64,'),
  }),
} as const satisfies EventTable
