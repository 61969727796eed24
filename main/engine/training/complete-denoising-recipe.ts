import os from 'node:os'
import { resolve } from 'node:path'
import { imageFolderFiles } from '../dataset/image-folder.ts'
import { HalfstepError } from '../errors.ts'
import type { DenoisingRecipe } from './denoising-recipe.ts'
import { fingerprint, fingerprintOfFiles } from './file-fingerprint.ts'

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
  return { ...completed, fingerprints: await denoisingFingerprints(completed) }
}

/** What the files of a complete recipe are now, by path; of folders of pictures, those that training sees. */
export async function denoisingFingerprints({ model, adapter, dataset, prior }: DenoisingRecipe): Promise<Record<string, string>> {
  const fingerprints: Record<string, string> = {}
  for (const path of [model, adapter.start]) if (path !== undefined) fingerprints[path] = await fingerprint(path)
  for (const [key, path] of [['dataset.folder', dataset.folder], ['prior.folder', prior?.folder]] as const) {
    if (path !== undefined) fingerprints[path] = await folderFingerprint(key, path)
  }
  return fingerprints
}

async function folderFingerprint(key: string, path: string): Promise<string> {
  try {
    return await fingerprintOfFiles(path, await imageFolderFiles(path))
  } catch (error) {
    if (!(error instanceof HalfstepError)) throw error
    const message = `The recipe's ${key} cannot be used: ${error.message}`
    throw new HalfstepError(error.code, message, `Set ${key} to a folder of pictures.`, { ...error.details, key })
  }
}
