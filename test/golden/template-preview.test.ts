import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { builtInTemplates, loadTemplate } from '../../main/engine/templates/load-template.ts'
import { previewTemplate } from '../../main/engine/preview/preview-template.ts'
import { generatePictures } from '../../main/engine/generate/generate-pictures.ts'
import type { EngineJobs, PreviewPicture } from '../../main/engine/protocol.ts'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'

const MODEL = join(import.meta.dirname, 'sd15-micro')

async function look(more: Partial<EngineJobs['template.preview']['request']> = {}): Promise<PreviewPicture[]> {
  const pictures: PreviewPicture[] = []
  const template = await loadTemplate('hands-five-fingers')
  await previewTemplate({
    model: MODEL, template, slots: {}, prompt: 'a hand', seed: 3, sampler: 'ddim', steps: 6, guidance: 4, pictures: 4, side: 4096,
    device: 'cpu', precision: 'float32', ...more,
  }, ({ picture }) => {
    if (picture !== null) pictures.push(picture)
  })
  return pictures
}

describe('a look at a template', () => {
  it('tells pictures from noise to the end of the chain, and the last is what drawing with the template gives', async () => {
    const pictures = await look()
    expect(pictures).toHaveLength(4)
    expect([pictures[0]!.step, pictures.at(-1)!.step]).toEqual([0, 6])
    const fractions = pictures.map(({ fraction }) => fraction)
    expect(fractions).toEqual(fractions.toSorted((a, b) => b - a))
    expect(fractions.at(-1)).toBe(0)
    const folder = await mkdtemp(join(tmpdir(), 'halfstep-look-'))
    try {
      const source = join(folder, 'template.json')
      await writeFile(source, JSON.stringify(await loadTemplate('hands-five-fingers')))
      const { pictures: [drawn] } = await generatePictures({
        model: MODEL, prompts: ['a hand'], adapters: [], template: { source, slots: {} }, seed: 3, count: 1, sampler: 'ddim', steps: 6,
        guidance: 4, device: 'cpu', precision: 'float32', out: join(folder, 'out'),
      }, () => undefined)
      const pixels = (png: Uint8Array): Promise<Buffer> => sharp(png).raw().toBuffer()
      expect(await pixels(pictures.at(-1)!.png)).toEqual(await pixels(await readFile(drawn!.path)))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }, 120_000)

  it('shrinks pictures to the side asked for, and never more of them than there are steps', async () => {
    const pictures = await look({ steps: 2, pictures: 9, side: 16 })
    expect(pictures.map(({ step }) => step)).toEqual([0, 1, 2])
    const { width, height } = await sharp(pictures[0]!.png).metadata()
    expect(Math.max(width, height)).toBe(16)
  }, 120_000)

  it('refuses what is no template, naming the key', async () => {
    await expect(look({ template: { version: 1, name: 'x', stages: [{}] } })).rejects.toMatchObject({ code: 'template.malformed' })
  })
})

describe('the templates that come with Halfstep', () => {
  it('are there for hands, faces, eyes, feet, lettering and the starter, each from coarse to fine', async () => {
    const keys = await builtInTemplates()
    expect(keys).toEqual(expect.arrayContaining([
      'hands-five-fingers', 'hands-holding-object', 'hands-two', 'faces', 'eyes', 'feet', 'lettering', 'starter-hand',
    ]))
    for (const key of keys) {
      const { stages, description } = await loadTemplate(key)
      expect(stages.length, key).toBeGreaterThanOrEqual(key === 'starter-hand' ? 2 : 3)
      expect(description, key).toMatch(/\.$/)
    }
  })
})
