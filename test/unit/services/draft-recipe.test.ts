import { describe, expect, it } from 'vitest'
import { algorithmSettings, parseTrainingRecipe } from '../../../main/engine/training/recipe.ts'
import { loadTemplate } from '../../../main/engine/templates/load-template.ts'
import { draftRecipe, EFFORTS, GOALS, type Ingredients } from '../../../main/services/training/draft-recipe.ts'
import { RecipeJson } from '../../../main/store/runs.ts'

const INGREDIENTS: Ingredients = {
  goal: 'fix-hands',
  effort: 'quick',
  precision: 'float32',
  model: { path: '/models/sd15', latentSide: 64 },
  prompts: ['a hand', 'two hands'],
  negative: 'blurry',
  template: null,
  reward: { kind: 'onnx', path: '/critic.onnx' },
  pictures: { folder: '/pictures', count: 12 },
  start: null,
}

describe('drafted recipes', () => {
  it('are sound for every goal, effort and size of model, with and without a template', async () => {
    const use = RecipeJson.parse(JSON.parse(JSON.stringify(await loadTemplate('hands-five-fingers'))))
    for (const goal of GOALS) {
      for (const effort of EFFORTS) {
        for (const latentSide of [8, 64, null]) {
          for (const template of [null, { use, slots: {} }]) {
            const recipe = draftRecipe({ ...INGREDIENTS, goal, effort, template, model: { path: '/m', latentSide } })
            expect(() => parseTrainingRecipe(recipe, 'The recipe')).not.toThrow()
          }
        }
      }
    }
  })

  it('learn a style from pictures, and everything else by a reward', () => {
    expect(draftRecipe({ ...INGREDIENTS, goal: 'teach-style' })).toMatchObject({ trainer: 'denoising', dataset: { folder: '/pictures' } })
    expect(draftRecipe(INGREDIENTS)).toMatchObject({ trainer: 'rlr', reward: { path: '/critic.onnx' }, negative: 'blurry' })
  })

  it('cover every step of the chain, however many it has: by windows next to the noise, by the reward\'s gradient after it', () => {
    for (const steps of [3, 8, 20]) {
      const draft = draftRecipe(INGREDIENTS)
      const recipe = parseTrainingRecipe({ ...draft, sampling: { steps } }, 'The recipe')
      if (recipe.trainer !== 'rlr') throw new Error('It is not trained by a reward.')
      expect(algorithmSettings(recipe, () => [])).toMatchObject({ kind: 'rlr', firstOrderDepth: steps - 2, windowLength: 1, windows: 2 })
    }
  })

  it('take longer the more effort is wanted', () => {
    for (const goal of GOALS) {
      const updates = EFFORTS.map((effort) => Number(draftRecipe({ ...INGREDIENTS, goal, effort }).updates))
      expect(updates).toEqual(updates.toSorted((a, b) => a - b))
    }
  })

  it('name what is missing when it is checked', () => {
    const check = (change: Partial<Ingredients>) => () => parseTrainingRecipe(draftRecipe({ ...INGREDIENTS, ...change }), 'The recipe')
    expect(check({ reward: null })).toThrow(expect.objectContaining({ details: { key: 'reward' } }))
    expect(check({ goal: 'teach-style', pictures: null })).toThrow(expect.objectContaining({ details: { key: 'dataset.folder' } }))
    expect(check({ prompts: [] })).toThrow(expect.objectContaining({ details: { key: 'prompts' } }))
  })
})
