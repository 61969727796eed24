import type { Recipe } from '../../main/ipc/contract.ts'

/** A number of a recipe that a person may want to change. */
export interface RecipeSetting {
  /** Where it stands: `optimizer.learningRate`. */
  readonly path: string
  readonly label: string
  /** What it does, in one line. */
  readonly hint: string
  readonly min: number
  readonly max?: number
  /** `any` for numbers with a fraction. */
  readonly step: 1 | 'any'
}

/** Everything under Advanced, in the order of how often it helps. Those that a recipe does not have are not shown. */
export const RECIPE_SETTINGS: readonly RecipeSetting[] = [
  {
    path: 'updates',
    label: 'Updates',
    hint: 'How many times the adapter is changed. More takes longer and learns more.',
    min: 1,
    max: 100_000,
    step: 1,
  },
  {
    path: 'optimizer.learningRate',
    label: 'Learning rate',
    hint: 'How large each change is. Too large breaks pictures.',
    min: 1e-7,
    max: 1,
    step: 'any',
  },
  {
    path: 'adapter.rank',
    label: 'Rank',
    hint: 'Room for what is learned. 4 to 16 is usual; the file grows with it.',
    min: 1,
    max: 256,
    step: 1,
  },
  {
    path: 'penalties.drift',
    label: 'Hold to the model',
    hint: 'Keeps pictures near those of the model as it was. 0 lets go.',
    min: 0,
    max: 100,
    step: 'any',
  },
  {
    path: 'sampling.steps',
    label: 'Steps',
    hint: 'From noise to picture. Fewer are faster, more are finer.',
    min: 2,
    max: 100,
    step: 1,
  },
  {
    path: 'sampling.guidance',
    label: 'Guidance',
    hint: 'How closely pictures follow their prompt while training.',
    min: 0,
    max: 30,
    step: 'any',
  },
  {
    path: 'batch.prompts',
    label: 'Prompts at a time',
    hint: 'Different prompts in each update. More is steadier and slower.',
    min: 1,
    max: 64,
    step: 1,
  },
  {
    path: 'batch.samplesPerPrompt',
    label: 'Pictures per prompt',
    hint: 'They are compared with one another. At least 2 are needed for that.',
    min: 1,
    max: 64,
    step: 1,
  },
  {
    path: 'samples.every',
    label: 'Show pictures every',
    hint: 'Updates between the pictures made for you.',
    min: 1,
    max: 10_000,
    step: 1,
  },
  {
    path: 'checkpoint.every',
    label: 'Save every',
    hint: 'Updates between checkpoints: what is lost at most when power fails.',
    min: 1,
    max: 10_000,
    step: 1,
  },
  {
    path: 'seed',
    label: 'Seed',
    hint: 'The same seed and settings give the same run again.',
    min: 0,
    max: 2 ** 32 - 1,
    step: 1,
  },
]

/** The number at a path of a recipe; undefined where there is none. */
export function settingOf(recipe: Recipe, path: string): number | undefined {
  let value: unknown = recipe
  for (const key of path.split('.')) value = isObject(value) ? value[key] : undefined
  return typeof value === 'number' ? value : undefined
}

/** The recipe with other numbers at those paths. */
export function withSettings(recipe: Recipe, settings: Readonly<Record<string, number>>): Recipe {
  return Object.entries(settings).reduce((changed, [path, value]) => withSetting(changed, path.split('.'), value), recipe)
}

function withSetting(recipe: Recipe, [key = '', ...rest]: readonly string[], value: number): Recipe {
  if (rest.length === 0) return { ...recipe, [key]: value }
  const inner = recipe[key]
  return { ...recipe, [key]: withSetting(isObject(inner) ? inner : {}, rest, value) }
}

function isObject(value: unknown): value is Recipe {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
