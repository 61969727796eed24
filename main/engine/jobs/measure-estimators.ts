import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'
import { estimatorGrid } from '../rlr/measure/estimator-grid.ts'
import { bestOf, measureEstimators } from '../rlr/measure/measure-estimators.ts'
import { completeRecipe } from '../training/open-run.ts'
import { parseRecipe } from '../training/recipe.ts'
import { openStableDiffusionChain } from '../training/stable-diffusion-task.ts'

/** Measures what a recipe's gradient could be estimated with, and reports each draw as it begins. */
export const measure: JobHandler<EngineJobs['estimator.measure']> = async (request, { progress }) => {
  const { recipe: raw, recipeFolder = '.', model: path, draws, device } = request
  const parsed = parseRecipe(raw, 'The recipe')
  const recipe = await completeRecipe(path === undefined ? parsed : { ...parsed, model: path }, recipeFolder)
  const { model, settings, facts } = await openStableDiffusionChain(recipe, { device })
  try {
    const theta = model.initialTheta()
    // A reward that learns must not do so here: every estimator is judged by the same one.
    const untouched = model.state()
    const context = async (index: number) => {
      model.restore(untouched)
      return (await model.batch({ index, theta })).context
    }
    const figures = await measureEstimators(estimatorGrid(facts, settings), {
      draws,
      context,
      onDraw: (label, draw) => progress({ label, draw }),
    })
    return { parameters: model.parameterCount, steps: facts.coefficients.length, figures, best: bestOf(figures)?.label ?? null }
  } finally {
    await model.dispose()
  }
}
