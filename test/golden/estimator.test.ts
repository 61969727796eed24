import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EstimatorTable } from '../../main/engine/protocol.ts'
import { GOLDEN, halfstep } from './halfstep.ts'
import { writeMaskedReward } from './masked-reward-model.ts'

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-estimator-'))
  await writeMaskedReward(join(folder, 'reward.onnx'), [2, 3, 64, 64])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const recipe = {
  version: 1,
  model: 'nowhere',
  sampling: { steps: 3, eta: 1, guidance: 1, width: 64, height: 64 },
  prompts: ['a red fox'],
  batch: { prompts: 1, samplesPerPrompt: 2 },
  estimator: { kind: 'rlr', windowLength: 1 },
  reward: { kind: 'onnx', path: 'reward.onnx', clamp: false },
  updates: 1,
}

function estimator(contents: object, ...options: string[]): ReturnType<typeof halfstep> {
  const file = join(folder, 'recipe.json')
  writeFileSync(file, JSON.stringify(contents))
  return halfstep('estimator', '--recipe', file, '--model', join(GOLDEN, 'sd15-micro'), '--device', 'cpu', ...options)
}

describe('halfstep estimator', () => {
  it('measures every estimator that fits the recipe\'s chain', { timeout: 300_000 }, async () => {
    const { code, out, err } = await estimator(recipe, '--draws', '2', '--json')
    expect(err).toBe('')
    expect(code).toBe(0)
    // JSON has no NaN: two draws give no standard error of a variance.
    const { figures, steps, best } = JSON.parse(out) as EstimatorTable
    const labels = figures.map(({ label }) => label)
    expect(labels.slice(0, 2)).toEqual(['full', 'the recipe\'s'])
    expect(labels).toEqual(expect.arrayContaining(['rlr, none, h = 2', 'ddpo', 'zo', 'public-code', 'reinforce']))
    expect(figures[0]).toMatchObject({ draws: 2, forwards: 3, vjps: 3, biased: null })
    expect(steps).toBe(3)
    expect(labels).toContain(best)
  })

  it('refuses an unknown key, and a number of draws that has no variance', async () => {
    const misspelt = await estimator({ ...recipe, estimater: {} }, '--draws', '2')
    expect(misspelt.code).toBe(1)
    expect(misspelt.err).toMatch(/unknown key estimater/)
    const single = await estimator(recipe, '--draws', '1')
    expect(single.code).toBe(2)
    expect(single.err).toMatch(/2 or more/)
  })
})
