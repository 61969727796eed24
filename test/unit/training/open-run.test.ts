import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { recipeFingerprint } from '../../../main/engine/training/recipe.ts'
import { openRun, type RunRequest } from '../../../main/engine/training/open-run.ts'
import { temporaryFolder } from './toy-run.ts'

const RECIPE = {
  version: 1,
  model: 'model',
  sampling: { steps: 10 },
  prompts: { file: 'prompts.txt' },
  estimator: { kind: 'rlr', proposal: { kind: 'template' } },
  template: { use: 'hands-two', slots: {} },
  reward: {
    kind: 'mixture',
    parts: [
      { kind: 'onnx', path: 'critic.onnx' },
      { kind: 'likeness', path: 'clip', pictures: ['a.png'] },
    ],
  },
  updates: 100,
}

let folder: string

/** A folder with everything that the recipe names; contents do not matter here. */
beforeEach(async () => {
  folder = await temporaryFolder()
  for (const name of ['model/unet', 'clip']) await mkdir(join(folder, name), { recursive: true })
  for (const name of ['model/unet/weights.safetensors', 'clip/config.json', 'critic.onnx', 'a.png'])
    await writeFile(join(folder, name), name)
  await writeFile(join(folder, 'prompts.txt'), '# hands\na hand\n\n  a red hand \r\n')
})

const request = (recipe: unknown = RECIPE): RunRequest => ({ folder: join(folder, 'run'), recipe, recipeFolder: folder })

describe('a new run', () => {
  it('writes a recipe that depends on nothing outside but files whose fingerprints it holds', async () => {
    const { recipe, begin, folder: run } = await openRun(request())
    await begin()
    const stored = JSON.parse(await readFile(run.recipeFile, 'utf8')) as Record<string, unknown>
    expect(stored).toMatchObject({
      model: join(folder, 'model'),
      prompts: ['a hand', 'a red hand'],
      reward: { parts: [{ path: join(folder, 'critic.onnx') }, { path: join(folder, 'clip'), pictures: [join(folder, 'a.png')] }] },
      template: { use: { name: expect.any(String) as string, stages: expect.any(Array) as unknown[] } },
      adapter: { rank: 4, alpha: 4 },
      date: expect.stringMatching(/^\d{4}-/) as string,
      threads: expect.any(Number) as number,
    })
    expect(Object.keys(recipe.fingerprints).sort()).toEqual(['a.png', 'clip', 'critic.onnx', 'model'].map((name) => join(folder, name)))
  })

  it('leaves nothing behind before it begins', async () => {
    const { folder: run } = await openRun(request())
    await expect(readFile(run.recipeFile)).rejects.toThrow('ENOENT')
  })

  it.each([
    ['prompts.txt', '# nothing', 'holds no prompts'],
    ['prompts.txt', undefined, 'prompts'],
  ])('refuses %s with the contents %j', async (name, contents, message) => {
    if (contents === undefined) await expect(openRun(request({ ...RECIPE, prompts: { file: 'absent.txt' } }))).rejects.toThrow(message)
    else {
      await writeFile(join(folder, name), contents)
      await expect(openRun(request())).rejects.toThrow(message)
    }
  })

  it('names a model that is not there', async () => {
    await expect(openRun(request({ ...RECIPE, model: 'absent' }))).rejects.toMatchObject({
      code: 'file.missing',
      message: `${join(folder, 'absent')} does not exist.`,
    })
  })
})

describe('a run that is to begin', () => {
  it('is not begun in a folder where another one was begun meanwhile', async () => {
    const { begin, folder: run } = await openRun(request())
    const release = await (await openRun(request({ ...RECIPE, seed: 5 }))).begin()
    await release()
    const before = await readdir(run.path)
    await expect(begin()).rejects.toMatchObject({ code: 'recipe.impossible', message: `${run.path} holds the run of another recipe.` })
    expect(await readdir(run.path)).toEqual(before)
    expect(JSON.parse(await readFile(run.recipeFile, 'utf8'))).toMatchObject({ seed: 5 })
  })

  it.each([[RECIPE], [undefined]])('is refused at once while another process writes there', async (recipe) => {
    const path = join(folder, 'run')
    await mkdir(path)
    await writeFile(join(path, '.writer-12-34-elsewhere'), '')
    const message = `${path} is being trained by process 12 on the computer elsewhere.`
    await expect(openRun(request(recipe))).rejects.toMatchObject({ code: 'run.in-use', message })
    expect(await readdir(path)).toEqual(['.writer-12-34-elsewhere'])
  })
})

describe('a run that is there', () => {
  /** And left again. */
  const begun = async (): Promise<void> => (await (await openRun(request())).begin())()

  it('is continued by the recipe it was begun with, or without one', async () => {
    await begun()
    const again = await openRun(request())
    const without = await openRun({ folder: join(folder, 'run') })
    expect(without.recipe).toEqual(again.recipe)
  })

  it('is known by its recipe as it was written, whatever defaults a later version adds', async () => {
    const first = await openRun(request())
    await first.begin()
    const file = first.folder.recipeFile
    expect((await openRun(request())).fingerprint).toBe(first.fingerprint)
    const { penalties: _penalties, ...older } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    await writeFile(file, JSON.stringify(older))
    const { fingerprint, recipe } = await openRun(request())
    expect(fingerprint).toBe(recipeFingerprint(older))
    expect(fingerprint).not.toBe(recipeFingerprint(recipe))
  })

  it('is not continued by another recipe', async () => {
    await begun()
    await expect(openRun(request({ ...RECIPE, seed: 5 }))).rejects.toMatchObject({
      code: 'recipe.impossible',
      message: `${join(folder, 'run')} holds the run of another recipe.`,
    })
  })

  it('is not continued with files that have changed', async () => {
    await begun()
    await writeFile(join(folder, 'model/unet/weights.safetensors'), 'other')
    await expect(openRun({ folder: join(folder, 'run') })).rejects.toMatchObject({
      code: 'recipe.impossible',
      message: `${join(folder, 'model')} is no longer what it was when the run began.`,
    })
  })

  it('is not found where there is none', async () => {
    await expect(openRun({ folder: join(folder, 'nowhere') })).rejects.toMatchObject({
      code: 'file.missing',
      nextStep: expect.stringContaining('recipe') as string,
    })
  })
})
