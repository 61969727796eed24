import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AdapterSummary } from '../../../main/engine/protocol.ts'
import { parseTrainingRecipe } from '../../../main/engine/training/recipe.ts'
import { addBuiltInModel } from '../../../main/services/built-in-model.ts'
import { EFFORTS } from '../../../main/services/training/draft-recipe.ts'
import { starterRecipe } from '../../../main/services/training/starter-recipe.ts'
import { SUMMARY } from '../store/example-rows.ts'
import { type LibraryFixture, openFixture } from './library-fixture.ts'

const ADAPTER: AdapterSummary = {
  format: 'kohya', dtype: 'float32', ranks: [8], alphas: [8], modules: 1, parameters: 8, components: {}, targets: {}, problems: [],
}

let fixture: LibraryFixture

beforeEach(() => {
  fixture = openFixture({ 'model.inspect': ({ path }) => ({ ...SUMMARY, path }), 'adapter.inspect': () => ADAPTER })
})

afterEach(() => fixture.close())

describe('the starter model', () => {
  it('is added once, and found again where an update has put it', async () => {
    const { models } = fixture.services
    const [first, second] = [join(fixture.folder, 'one'), join(fixture.folder, 'two')]
    await addBuiltInModel(fixture.services, first)
    expect(models.list()).toEqual([])
    mkdirSync(first)
    await addBuiltInModel(fixture.services, first)
    await addBuiltInModel(fixture.services, first)
    expect(models.list()).toMatchObject([{ name: 'Starter', path: first, builtIn: true }])
    const [{ id } = { id: '' }] = models.list()
    rmSync(first, { recursive: true })
    mkdirSync(second)
    await addBuiltInModel(fixture.services, second)
    expect(models.list()).toMatchObject([{ id, path: second, missing: false }])
  })

  it('brings the adapter of its recorded run, which does not come back once it is removed', async () => {
    const { models, adapters } = fixture.services
    const starter = join(fixture.folder, 'starter')
    mkdirSync(starter)
    writeFileSync(join(starter, 'full-run.safetensors'), 'weights')
    await addBuiltInModel(fixture.services, starter)
    expect(adapters.list()).toMatchObject([{ name: 'Five fingers, recorded', origin: 'import' }])
    adapters.remove(adapters.list()[0]?.id ?? '')
    await addBuiltInModel(fixture.services, starter)
    expect([models.list().length, adapters.list()]).toEqual([1, []])
  })

  it('is trained by the recipes that come with Halfstep, with absolute paths and pictures along the way', async () => {
    for (const effort of EFFORTS) {
      const recipe = await starterRecipe(effort, '/starter')
      const checked = parseTrainingRecipe(recipe, 'The recipe')
      expect(checked).toMatchObject({ trainer: 'rlr', model: '/starter', samples: { count: 8 } })
      const { reward, prompts } = checked.trainer === 'rlr' ? checked : { reward: undefined, prompts: [] }
      const critic = (reward?.kind === 'mixture' ? reward.parts : [reward]).find((part) => part?.kind === 'critic')
      expect(isAbsolute(critic?.path ?? '')).toBe(true)
      expect(Array.isArray(prompts) || isAbsolute(prompts.file)).toBe(true)
      expect(Number(checked.samples.every)).toBeLessThanOrEqual(checked.updates / 10)
    }
  })

  it('has no recipe where none comes with the program', async () => {
    expect(await starterRecipe('quick', '/starter', fixture.folder)).toBeUndefined()
    writeFileSync(join(fixture.folder, 'demo-quick.json'), JSON.stringify({ version: 1, updates: 10, template: { use: 'x.json' } }))
    expect(await starterRecipe('quick', '/starter', fixture.folder)).toMatchObject({ template: { use: join(fixture.folder, 'x.json') } })
  })
})
