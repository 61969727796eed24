/** How the starter model's hands are mended: by the recipes that come with Halfstep, which were tuned for it. */
import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { z } from 'zod'
import { RecipeJson } from '../../store/runs.ts'
import { assetPath } from '../assets.ts'
import { parseJsonObject } from '../parse-json.ts'
import type { Effort } from './draft-recipe.ts'

const RECIPES: Readonly<Record<Effort, string>> = { quick: 'demo-quick', balanced: 'demo-quick', thorough: 'demo-full' }

const RewardPart = z.looseObject({ path: z.string().optional() })

/** What names files beside the recipe. */
const Paths = z.looseObject({
  reward: z.looseObject({ ...RewardPart.shape, parts: z.array(RewardPart).optional() }).optional(),
  prompts: z.union([z.looseObject({ file: z.string() }), z.array(z.json())]).optional(),
  template: z.looseObject({ use: z.json() }).optional(),
  updates: z.int().min(1),
})

/**
 * The starter's recipe for an effort, with pictures along the way; undefined where none comes with the program.
 * @param model absolute path of the starter
 */
export async function starterRecipe(effort: Effort, model: string, folder = assetPath('recipes')): Promise<RecipeJson | undefined> {
  const path = join(folder, `${RECIPES[effort]}.json`)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const recipe = Paths.parse(parseJsonObject(text, path))
  const { reward, prompts, template, updates } = recipe
  const absolute = (file: string): string => (isAbsolute(file) ? file : resolve(dirname(path), file))
  const templateFile = typeof template?.use === 'string' && /[/\\]|\.json$/.test(template.use) ? absolute(template.use) : undefined
  const withPath = <T extends z.output<typeof RewardPart>>(part: T): T =>
    part.path === undefined ? part : { ...part, path: absolute(part.path) }
  return RecipeJson.parse({
    ...recipe,
    model,
    ...(reward && { reward: withPath({ ...reward, ...(reward.parts && { parts: reward.parts.map(withPath) }) }) }),
    ...(prompts === undefined || Array.isArray(prompts) ? {} : { prompts: { ...prompts, file: absolute(prompts.file) } }),
    ...(templateFile === undefined ? {} : { template: { ...template, use: templateFile } }),
    // As often as a person likes to look, and no more than fit on a page.
    samples: { every: Math.max(1, Math.round(updates / 20)), count: 8 },
  })
}
