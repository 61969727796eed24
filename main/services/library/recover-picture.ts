/** Where a picture belonged, from what is written in it. */
import { randomUUID } from 'node:crypto'
import sharp from 'sharp'
import { z } from 'zod'
import type { LibraryDatabase } from '../../store/database.ts'
import { insertImage } from '../../store/dataset-images.ts'
import { insertDataset, readDataset } from '../../store/datasets.ts'
import { insertGeneration } from '../../store/generations.ts'
import type { StoredPicture } from '../../store/pictures.ts'
import { RecipeJson } from '../../store/runs.ts'
import { parseJsonObject } from '../parse-json.ts'

/** The recipe that the studio writes into its PNG files, as far as a row needs it. */
const PictureRecipe = z.looseObject({ prompt: z.string(), seed: z.int().nonnegative() })

/** The dataset that takes in pictures of which nothing else is known. Always the same, so that repairing twice makes one. */
const RECOVERED = '00000000-0000-4000-8000-000000000001'

/** Puts a picture back into the studio where it was made there, and into a dataset of recovered ones elsewhere. */
export async function recoverPicture(database: LibraryDatabase, { sha256, file }: StoredPicture, bytes: Uint8Array): Promise<void> {
  const recipe = await recipeIn(bytes)
  if (recipe !== undefined) {
    const { prompt, seed } = PictureRecipe.parse(recipe)
    const row = { id: randomUUID(), batch: randomUUID(), position: 0, modelId: null, source: null, createdAt: new Date().toISOString() }
    return insertGeneration(database, { ...row, picture: sha256, prompt, seed, recipe })
  }
  if (readDataset(database, RECOVERED) === undefined) insertDataset(database, RECOVERED, 'Recovered pictures', new Date().toISOString())
  insertImage(database, RECOVERED, sha256, file.replace('pictures/', ''))
}

async function recipeIn(bytes: Uint8Array): Promise<RecipeJson | undefined> {
  try {
    const { comments = [] } = await sharp(bytes).metadata()
    const text = comments.find(({ keyword }) => keyword === 'halfstep')?.text
    const recipe = text === undefined ? undefined : parseJsonObject(text, 'The recipe')
    return PictureRecipe.safeParse(recipe).success ? RecipeJson.parse(recipe) : undefined
  } catch {
    return undefined
  }
}
