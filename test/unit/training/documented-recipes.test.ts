import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { parseTrainingRecipe } from '../../../main/engine/training/recipe.ts'

const GUIDE = path.join(import.meta.dirname, '../../../docs/training.md')
const examples = [...readFileSync(GUIDE, 'utf8').matchAll(/```json\n(.*?)```/gs)].map(([, json = '']) => JSON.parse(json) as unknown)

it('every recipe of the guide is one that the trainer takes', () => {
  expect(examples.map((example) => parseTrainingRecipe(example, 'docs/training.md').trainer)).toEqual(['rlr', 'denoising'])
})
