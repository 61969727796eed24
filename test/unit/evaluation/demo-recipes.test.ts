import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ASSETS } from '../../../main/engine/assets.ts'
import { EVALUATION_SEED, heldOutPrompts } from '../../../main/engine/evaluation/held-out.ts'
import { parseRecipe } from '../../../main/engine/training/recipe.ts'

const RECIPES = new URL('recipes/', ASSETS)

describe.each(['demo-quick', 'demo-full'])('the recipe %s', (name) => {
  const load = async () => parseRecipe(JSON.parse(await readFile(new URL(`${name}.json`, RECIPES), 'utf8')) as unknown, name)

  it('is a recipe, which trains on none of the prompts and seeds that are judged', async () => {
    const { prompts, seed, sampling } = await load()
    const file = Array.isArray(prompts) ? undefined : prompts.file
    expect(file).toBe('../prompts/hands-train.txt')
    const trained = (await readFile(new URL(file ?? '', RECIPES), 'utf8')).split('\n')
    const held = new Set(await heldOutPrompts())
    expect(held.size).toBe(64)
    expect(trained.filter((prompt) => held.has(prompt))).toEqual([])
    expect(seed).toBeLessThan(EVALUATION_SEED)
    expect([5, 8, 10]).toContain(sampling.steps)
  })

  it('trains the starter against its critic, with the hand template and a penalty on drifting away', async () => {
    const { model, reward, template, penalties } = await load()
    expect(template?.use).toBe('starter-hand')
    expect(penalties.drift).toBeGreaterThan(0)
    const parts = reward.kind === 'mixture' ? reward.parts : [reward]
    expect(model).toBe('../starter')
    expect(parts).toContainEqual(expect.objectContaining({ kind: 'critic', path: '../starter/critic.onnx' }))
  })
})
