import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'
import { parseTrainingRecipe } from '../training/recipe.ts'

/** Says what is wrong with a recipe, or gives it back with every default filled in. */
export const checkRecipe: JobHandler<EngineJobs['recipe.check']> = ({ recipe }) =>
  Promise.resolve({ recipe: { ...parseTrainingRecipe(recipe, 'The recipe') } })
