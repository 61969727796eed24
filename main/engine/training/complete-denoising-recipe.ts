import os from 'node:os'
import { resolve } from 'node:path'
import type { DenoisingRecipe } from './denoising-recipe.ts'
import { fingerprint } from './file-fingerprint.ts'

/**
 * The recipe with nothing left that could change before the run is continued: absolute paths, a date, and what the files are.
 * @param folder that relative paths begin in
 */
export async function completeDenoisingRecipe(recipe: DenoisingRecipe, folder: string): Promise<DenoisingRecipe> {
  const { start } = recipe.adapter
  const completed = {
    ...recipe,
    model: resolve(folder, recipe.model),
    dataset: { ...recipe.dataset, folder: resolve(folder, recipe.dataset.folder) },
    prior: recipe.prior && { ...recipe.prior, folder: resolve(folder, recipe.prior.folder) },
    adapter: {
      ...recipe.adapter,
      alpha: recipe.adapter.alpha ?? recipe.adapter.rank,
      ...(start === undefined ? {} : { start: resolve(folder, start) }),
    },
    date: recipe.date ?? new Date().toISOString(),
    threads: recipe.threads ?? os.availableParallelism(),
  }
  const { model, dataset, prior, adapter } = completed
  const fingerprints: Record<string, string> = {}
  for (const path of [model, dataset.folder, prior?.folder, adapter.start]) {
    if (path !== undefined) fingerprints[path] = await fingerprint(path)
  }
  return { ...completed, fingerprints }
}
