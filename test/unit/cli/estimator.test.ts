import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EstimatorFigures, EstimatorTable } from '../../../main/engine/protocol.ts'
import { run, type Run } from './recorder.ts'

let folder: string
let recipe: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-estimator-'))
  recipe = join(folder, 'recipe.json')
  writeFileSync(recipe, '{"version": 1}')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const figure = (value: number) => ({ value, standardError: 0.01 })
const row = (label: string, changes: Partial<EstimatorFigures> = {}): EstimatorFigures => ({
  label,
  biased: null,
  draws: 20,
  meanNorm: figure(2),
  variance: figure(3),
  cosine: figure(0.987),
  share: figure(1.02),
  forwards: 10,
  vjps: 2,
  seconds: 0.5,
  varianceSeconds: figure(1.5),
  ...changes,
})
const found: EstimatorTable = {
  parameters: 27648,
  steps: 10,
  figures: [row('full'), row('rlr'), row('none', { biased: 'Steps are left out.' }), row('zo', { cosine: null, share: null })],
  best: 'rlr',
}

const estimator = (result: EstimatorTable, ...options: string[]): Promise<Run> =>
  run(['estimator', '--recipe', recipe, ...options], {
    'estimator.measure': { progress: [{ label: 'full', draw: 0 }], result },
  })

describe('halfstep estimator', () => {
  it('prints a row per estimator, marks the biased ones and says why, and names the best', async () => {
    const { code, out, requests } = await estimator(found, '--device', 'cpu', '--draws', '20')
    expect(code).toBe(0)
    expect(requests).toEqual([{ recipe: { version: 1 }, recipeFolder: folder, draws: 20, device: 'cpu' }])
    expect(out).toMatch(/rlr +2 ± 0\.01 +3 ± 0\.01 +0\.99 ± 0\.01 +1\.02 ± 0\.01 +10 +2 +500 ms +1\.5 ± 0\.01\n/)
    expect(out).toMatch(/none \* /)
    expect(out).toContain('  none: Steps are left out.')
    expect(out).toMatch(/zo .* – +– /)
    expect(out).toContain('20 draws, 10 steps, 27.6 k parameters')
    expect(out).toContain('Least variance × time among the unbiased: rlr.')
  })

  it('says so when none is unbiased', async () => {
    const { out } = await estimator({ ...found, best: null }, '--device', 'cpu')
    expect(out).toContain('None of them is unbiased.')
  })

  it('takes another model than the recipe\'s, and gives the table as JSON', async () => {
    const { out, requests } = await estimator(found, '--device', 'cpu', '--model', '/models/other', '--json')
    expect(requests[0]).toMatchObject({ model: '/models/other' })
    expect(JSON.parse(out)).toEqual(found)
  })

  it('names a recipe that is not there', async () => {
    const { code, err } = await run(['estimator', '--recipe', join(folder, 'none.json'), '--device', 'cpu'])
    expect(code).toBe(1)
    expect(err).toMatch(/none\.json does not exist/)
  })

  it('wants two draws at least', async () => {
    expect((await estimator(found, '--draws', '1')).code).toBe(2)
  })
})
