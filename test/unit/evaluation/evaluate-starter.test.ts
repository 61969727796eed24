import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { evaluateStarter, type EvaluationRequest } from '../../../main/engine/evaluation/evaluate-starter.ts'
import { EVALUATION_SEED } from '../../../main/engine/evaluation/held-out.ts'
import { generatePictures } from '../../../main/engine/generate/generate-pictures.ts'
import { readJudged } from '../../../main/engine/judge/read-judged.ts'
import { readPicture } from '../../../main/engine/pictures/read-picture.ts'
import { ENGINE_JOBS } from '../../../main/engine/protocol.ts'
import { writeRandomStarter, type StarterFiles } from './random-starter-files.ts'

let folder: string
let files: StarterFiles
let request: EvaluationRequest
let zero: string
let large: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'halfstep-evaluation-'))
  files = await writeRandomStarter(folder)
  zero = await files.adapter('zero', 0)
  large = await files.adapter('large', 0.5)
  request = ENGINE_JOBS['starter.evaluate'].request.parse({
    model: files.model,
    critic: files.critic,
    arms: [{ label: 'base', adapters: [] }],
    prompts: ['a hand, tan skin, blue background', 'a left hand'],
    pictures: 5,
    seed: EVALUATION_SEED,
    sampling: { steps: 2, eta: 1, guidance: 1 },
    batch: 2,
    device: 'cpu',
  })
})
afterAll(() => rm(folder, { recursive: true }))

const arm = (label: string, ...paths: string[]) => ({ label, adapters: paths.map((path) => ({ path, strength: 1 })) })

describe('an evaluation', () => {
  it('draws all arms from the same noises: an adapter of nothing changes no picture, and another one does', async () => {
    const heard: unknown[] = []
    const sheets = ['base', 'zero', 'large'].map((name) => join(folder, `${name}.png`))
    const arms = [arm('base'), arm('zero', zero), arm('large', large)].map((one, i) => ({ ...one, sheet: sheets[i]! }))
    const result = await evaluateStarter({ ...request, arms }, (progress) => heard.push(progress))
    ENGINE_JOBS['starter.evaluate'].result.parse(result)
    const [base, same, other] = result.arms
    expect(same?.pictures).toEqual(base?.pictures)
    expect(other?.pictures).not.toEqual(base?.pictures)
    expect(base?.pictures.map(({ prompt, seed }) => [prompt, seed - EVALUATION_SEED])).toEqual([[0, 0], [1, 1], [0, 2], [1, 3], [0, 4]])
    expect(base?.diversity).toHaveLength(2)
    expect(result.changes).toHaveLength(2)
    expect(result.changes[0]).toMatchObject({ five: { gained: 0, lost: 0, p: 1 }, score: { value: 0 }, diversity: { value: 0 } })
    expect(heard.filter((each) => (each as { label: string }).label === 'base')).toEqual(
      [0, 2, 4, 5].map((done) => ({ label: 'base', done, pictures: 5 })))
    for (const sheet of sheets) expect((await stat(sheet)).size).toBeGreaterThan(0)
    expect((await readPicture(sheets[0]!)).shape).toEqual([1, 3, 64, 320])
  })

  it('draws each picture as it would be drawn alone, whatever else is in its batch, full or not', async () => {
    const sheetBy = async (batch: number): Promise<Float32Array> => {
      const sheet = join(folder, `by-${batch}.png`)
      await evaluateStarter({ ...request, batch, arms: [{ ...arm('base'), sheet }] }, () => undefined)
      return (await readPicture(sheet)).data
    }
    const [alone, together] = [await sheetBy(1), await sheetBy(3)]
    expect(Math.max(...alone.map((value, i) => Math.abs(value - together[i]!)))).toBeLessThanOrEqual(1.5 / 255)
    expect(new Set(alone).size).toBeGreaterThan(100)
  })

  it('judges what halfstep generate draws from the same seed', async () => {
    const sheet = join(folder, 'one.png')
    await evaluateStarter({ ...request, pictures: 1, arms: [{ ...arm('one'), sheet }] }, () => undefined)
    const { pictures: [picture] } = await generatePictures({
      model: files.model, prompts: [request.prompts[0]!], adapters: [], seed: EVALUATION_SEED,
      sampler: 'ddim', steps: 2, guidance: 1, eta: 1, device: 'cpu', precision: 'float32', out: join(folder, 'generated'),
    }, () => undefined)
    const [drawn, judged] = [await readJudged(picture!.path), await readJudged(sheet)]
    expect(Math.max(...drawn.map((value, i) => Math.abs(value - judged[i]!)))).toBeLessThanOrEqual(1.5 / 255)
  })

  it('is refused before anything is drawn when a file is unusable', async () => {
    const never = () => expect.unreachable()
    await writeFile(join(folder, 'junk'), 'junk')
    for (const changed of [
      { critic: join(folder, 'junk') },
      { model: join(folder, 'nowhere') },
      { arms: [arm('base'), arm('broken', join(folder, 'junk'))] },
      { arms: [{ ...arm('base'), template: { source: 'no-such-template', slots: {} } }] },
    ]) await expect(evaluateStarter({ ...request, ...changed }, never)).rejects.toMatchObject({ code: expect.any(String) as string })
  })
})
