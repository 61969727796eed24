import { describe, expect, it } from 'vitest'
import { checkRecipe } from '../../../main/engine/jobs/check-recipe.ts'
import { checkReward } from '../../../main/engine/jobs/check-reward.ts'
import { planBuckets } from '../../../main/engine/jobs/plan-buckets.ts'
import { builtIn, check } from '../../../main/engine/jobs/templates.ts'
import { ENGINE_JOBS } from '../../../main/engine/protocol.ts'

const context = { progress: () => undefined, log: () => undefined, onCommand: () => undefined }

describe('the jobs that pages ask for', () => {
  it('complete a recipe, or name the key that is wrong', async () => {
    const recipe = { version: 1, trainer: 'denoising', model: '/m', dataset: { folder: '/p' }, updates: 3 }
    expect((await checkRecipe({ recipe }, context)).recipe).toMatchObject({ seed: 0, loss: { minSnrGamma: 5 } })
    const misspelt = { ...recipe, update: 3 }
    expect(() => checkRecipe({ recipe: misspelt }, context)).toThrow(expect.objectContaining({ details: { key: 'update' } }))
  })

  it('complete a reward, or name the key that is wrong', async () => {
    expect((await checkReward({ reward: { kind: 'onnx', path: '/a' } }, context)).reward).toMatchObject({ weight: 1, normalise: false })
    expect(() => checkReward({ reward: { kind: 'onnx' } }, context)).toThrow(expect.objectContaining({ details: { key: 'reward.path' } }))
  })

  it('give every template that comes with the program, each of them sound', async () => {
    const templates = ENGINE_JOBS['template.builtIn'].result.parse(await builtIn({}, context))
    expect(templates.map(({ key }) => key)).toContain('hands-five-fingers')
    for (const { template } of templates) expect((await check({ template }, context)).template).toEqual(template)
    const broken = { ...templates[0]!.template, stages: [] }
    expect(() => check({ template: broken }, context)).toThrow(expect.objectContaining({ code: 'template.malformed' }))
  })

  it('put pictures into the sizes of training, and refuse a resolution that the model cannot have', async () => {
    const pictures = [{ width: 640, height: 640 }, { width: 1600, height: 900 }]
    const { sizes, places } = await planBuckets({ pictures, resolution: 512, granularity: 64, largestAspect: 2 }, context)
    expect(places.map((place) => sizes[place])).toEqual([{ width: 512, height: 512 }, expect.objectContaining({ height: 384 })])
    const odd = { pictures, resolution: 500, granularity: 64, largestAspect: 2 }
    expect(() => planBuckets(odd, context)).toThrow(expect.objectContaining({ code: 'recipe.impossible' }))
  })
})
