import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, describe, expect, it } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import { parseDenoisingRecipe } from '../../../main/engine/training/denoising-recipe.ts'
import { openDenoisingTask } from '../../../main/engine/training/open-denoising-task.ts'
import { openRun } from '../../../main/engine/training/open-run.ts'
import { parseTrainingRecipe } from '../../../main/engine/training/recipe.ts'
import { golden } from '../models/fixtures.ts'
import { temporaryFolder } from './toy-run.ts'

const RECIPE = { version: 1, trainer: 'denoising', model: 'model', dataset: { folder: 'pictures' }, updates: 100 }

describe('a recipe for supervised training', () => {
  it('needs a model, pictures and a number of updates; the rest has defaults', () => {
    expect(parseTrainingRecipe(RECIPE, 'a.json')).toMatchObject({
      trainer: 'denoising',
      batch: { pictures: 1, accumulation: 1 },
      loss: { noiseOffset: 0, minSnrGamma: 5, captionDropout: 0.1 },
      prior: null,
      dataset: { caption: '', largestAspect: 2, openSizes: 3 },
      optimizer: { learningRate: 1e-4, beta2: 0.999 },
      adapter: { rank: 4 },
    })
  })

  it.each([
    [{ trainer: 'supervised' }, 'recipe.malformed', 'trainer', 'Set trainer to "rlr" or "denoising".'],
    [{ reward: {} }, 'recipe.malformed', 'reward', ''],
    [{ dataset: { foldr: 'pictures' } }, 'recipe.malformed', 'dataset.foldr', 'folder'],
    [{ dataset: {} }, 'recipe.malformed', 'dataset.folder', 'Add dataset.folder.'],
    [{ dataset: { folder: 'a', largestAspect: 0.5 } }, 'recipe.impossible', 'dataset.largestAspect', 'at least 1'],
    [{ dataset: { folder: 'a', openSizes: 0 } }, 'recipe.impossible', 'dataset.openSizes', 'at least 1'],
    [{ loss: { minSnrGamma: 0 } }, 'recipe.impossible', 'loss.minSnrGamma', 'more than 0'],
    [{ loss: { noiseOffset: -0.1 } }, 'recipe.impossible', 'loss.noiseOffset', 'at least 0'],
    [{ loss: { captionDropout: 1.2 } }, 'recipe.impossible', 'loss.captionDropout', 'at most 1'],
    [{ loss: { captionDropout: -1 } }, 'recipe.impossible', 'loss.captionDropout', 'at least 0'],
    [{ prior: { folder: 'b', weight: 0 } }, 'recipe.impossible', 'prior.weight', 'more than 0'],
    [{ prior: {} }, 'recipe.malformed', 'prior.folder', 'Add prior.folder.'],
    [{ batch: { pictures: 0 } }, 'recipe.impossible', 'batch.pictures', 'at least 1'],
    [{ schedule: { kind: 'cosine', warmUp: 100 } }, 'recipe.impossible', 'schedule.warmUp', 'Lower schedule.warmUp.'],
  ])('is refused with %j, by key and remedy', (changes, code, key, remedy) => {
    try {
      parseTrainingRecipe({ ...RECIPE, ...changes }, 'a.json')
      expect.unreachable()
    } catch (error) {
      if (!(error instanceof HalfstepError)) throw error
      expect([error.code, error.details.key]).toEqual([code, key])
      expect(error.message).toContain(key)
      expect(error.nextStep).toContain(remedy)
    }
  })
})

describe('a run of supervised training', () => {
  let folder: string

  beforeEach(async () => {
    folder = await temporaryFolder()
    for (const name of ['model', 'pictures', 'others', 'empty']) await mkdir(join(folder, name))
    await writeFile(join(folder, 'model', 'weights.safetensors'), 'weights')
    for (const name of ['pictures/a.png', 'others/b.png']) {
      await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } }).toFile(join(folder, name))
    }
    await writeFile(join(folder, 'pictures', 'a.txt'), 'a red square')
  })

  /** Among the pictures, which changes nothing. */
  const runFolder = (): string => join(folder, 'pictures', 'run')
  const open = (changes: object = {}) => openRun({ folder: runFolder(), recipe: { ...RECIPE, ...changes }, recipeFolder: folder })

  it('writes down absolute paths and what the files are', async () => {
    const { recipe, begin, folder: run } = await open({ prior: { folder: 'others' } })
    await begin()
    expect(JSON.parse(await readFile(run.recipeFile, 'utf8'))).toEqual(JSON.parse(JSON.stringify(recipe)))
    expect(recipe).toMatchObject({
      dataset: { folder: join(folder, 'pictures') }, prior: { folder: join(folder, 'others') }, adapter: { alpha: 4 },
    })
    expect(Object.keys(recipe.fingerprints).sort()).toEqual(['model', 'others', 'pictures'].map((name) => join(folder, name)))
  })

  it('goes on as long as pictures and captions are the same, whatever else comes into the folder', async () => {
    await (await open()).begin()
    await writeFile(join(folder, 'pictures', 'Thumbs.db'), 'left by a file manager')
    await expect(openRun({ folder: runFolder() })).resolves.toMatchObject({ recipe: { trainer: 'denoising' } })
    await expect(open()).resolves.toBeDefined()
    await writeFile(join(folder, 'pictures', 'a.txt'), 'a blue square')
    const refused = { code: 'recipe.impossible', details: { file: join(folder, 'pictures') } }
    await expect(openRun({ folder: runFolder() })).rejects.toMatchObject(refused)
  })

  it('is refused by key without a folder of pictures', async () => {
    const missing = { code: 'file.missing', details: { key: 'dataset.folder' } }
    await expect(open({ dataset: { folder: 'none' } })).rejects.toMatchObject(missing)
    const unreadable = { code: 'file.unreadable', details: { key: 'prior.folder' } }
    await expect(open({ prior: { folder: 'pictures/a.png' } })).rejects.toMatchObject(unreadable)
  })

  const task = (changes: { dataset?: object; prior?: object }) => openDenoisingTask(parseDenoisingRecipe({
    ...RECIPE, model: golden('sd15-micro'), ...changes, dataset: { folder: join(folder, 'pictures'), ...changes.dataset },
  }, 'a.json'), { device: 'cpu', cache: join(folder, 'latents.safetensors') })

  it('is refused by key when there is no picture, or none that can be read', async () => {
    const empty = { code: 'recipe.impossible', details: { key: 'dataset.folder' } }
    await expect(task({ dataset: { folder: join(folder, 'empty') } })).rejects.toMatchObject(empty)
    await writeFile(join(folder, 'others', 'b.png'), '')
    const message = `${join(folder, 'others')} holds no picture that can be read: b.png is empty.`
    const refused = { code: 'recipe.impossible', details: { key: 'prior.folder' }, message }
    await expect(task({ prior: { folder: join(folder, 'others') } })).rejects.toMatchObject(refused)
  })

  it('is refused by key for a resolution that the model does not have', async () => {
    const nextStep = 'Set dataset.resolution to a multiple of 64.'
    const refused = { code: 'recipe.impossible', details: { key: 'dataset.resolution' }, nextStep }
    await expect(task({ dataset: { resolution: 100 } })).rejects.toMatchObject(refused)
  })

  it('says when there are more sizes than are in memory at a time', async () => {
    await sharp({ create: { width: 100, height: 20, channels: 3, background: 'red' } }).toFile(join(folder, 'pictures', 'wide.png'))
    const opened = await task({ dataset: { largestAspect: 4, openSizes: 1 } })
    await opened.dispose()
    expect(opened.notes).toMatchObject([{ kind: 'many-sizes', nextStep: expect.stringContaining('dataset.openSizes to 2') as string }])
  })
})
