import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { readJson } from '../../../native-models/weights/json-file.ts'
import { HalfstepError } from '../../engine/errors.ts'
import { heldOutPrompts } from '../../engine/evaluation/held-out.ts'
import type { Workbench } from '../invocation.ts'
import type { DemoFolder } from './demo-folder.ts'

const Count = z.int().min(1)

const RewardPart = z.looseObject({ kind: z.string(), name: z.string().optional() })

/** What the demo itself reads of a recipe; the engine checks the rest. Defaults are those of recipes. */
const DemoRecipe = z.looseObject({
  model: z.string(),
  sampling: z.looseObject({ steps: Count, eta: z.number().default(1), guidance: z.number().default(5) }),
  template: z.looseObject({ use: z.string(), slots: z.record(z.string(), z.string()).default({}) }).optional(),
  reward: z.looseObject({ ...RewardPart.shape, parts: z.array(RewardPart).optional() }).optional(),
  batch: z.looseObject({ prompts: Count.default(1), samplesPerPrompt: Count.default(4), accumulation: Count.default(1) }).prefault({}),
})

/** What one part of the demo hands to the next. */
export interface Demo {
  readonly bench: Workbench
  readonly folder: DemoFolder
  readonly program: string
  readonly recipe: z.output<typeof DemoRecipe>
  /** Absolute paths. */
  readonly model: string
  readonly template: { readonly source: string; readonly slots: Readonly<Record<string, string>> } | undefined
  /** Name of the critic among the parts of the reward; undefined where there is none or it has no name of its own. */
  readonly critic: string | undefined
  /** Held out from training. */
  readonly prompts: readonly string[]
}

/** Reads what a demo needs to know beforehand. Throws `file.*`, `config.malformed` and `recipe.malformed`. */
export async function openDemo(bench: Workbench, folder: DemoFolder, program: string): Promise<Demo> {
  const file = folder.settings.recipe
  const parsed = DemoRecipe.safeParse(await readJson(file))
  if (!parsed.success) {
    throw new HalfstepError('recipe.malformed', `${file} is no recipe for the starter.`, 'See docs/training.md.', { file })
  }
  const { model, template, reward } = parsed.data
  const absolute = (path: string): string => resolve(dirname(file), path)
  return {
    bench,
    folder,
    program,
    recipe: parsed.data,
    model: absolute(model),
    template: template && { source: /[/\\]|\.json$/.test(template.use) ? absolute(template.use) : template.use, slots: template.slots },
    critic: (reward?.parts ?? [reward]).find((part) => part?.kind === 'critic')?.name,
    prompts: await heldOutPrompts(),
  }
}
