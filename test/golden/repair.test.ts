import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { repairPicture, type RepairProgress, type RepairRequest } from '../../main/engine/inpainting/repair-picture.ts'
import type { PaintMask } from '../../main/engine/inpainting/paint-mask.ts'
import { readPngText } from '../../main/engine/pictures/png-metadata.ts'
import { maskWhere, writeMask, writePicture } from '../unit/inpainting/mask-files.ts'
import { GOLDEN, halfstep } from './halfstep.ts'

const MODEL = join(GOLDEN, 'sd15-micro')

const PAINTED = (x: number, y: number): boolean => x >= 30 && x < 62 && y >= 20 && y < 44

let folder: string
let picture: string
let mask: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-repair-'))
  picture = await writePicture(join(folder, 'picture.png'), 90, 70)
  mask = await writeMask(join(folder, 'mask.png'), maskWhere(90, 70, PAINTED))
})
afterAll(() => rmSync(folder, { recursive: true }))

function request(changes: Partial<RepairRequest> = {}): RepairRequest {
  return {
    model: MODEL,
    picture,
    mask,
    feather: 3,
    context: 0.5,
    strength: 0.75,
    prompt: 'an open hand',
    adapters: [],
    seed: 5,
    count: 1,
    sampler: 'ddim',
    steps: 4,
    guidance: 3,
    device: 'cpu',
    precision: 'float32',
    out: mkdtempSync(join(folder, 'out-')),
    ...changes,
  }
}

async function repaired(changes: Partial<RepairRequest> = {}): Promise<Buffer[]> {
  const { pictures } = await repairPicture(request(changes), () => undefined)
  return Promise.all(pictures.map(({ path }) => sharp(path).raw().toBuffer()))
}

const raw = (path: string): Promise<Buffer> => sharp(path).raw().toBuffer()

/** How many pixels inside and outside the mask differ. */
function changes(before: Buffer, after: Buffer, { data }: PaintMask): { inside: number; outside: number } {
  const counts = { inside: 0, outside: 0 }
  data.forEach((value, i) => {
    const differs = before.compare(after, 3 * i, 3 * i + 3, 3 * i, 3 * i + 3) !== 0
    if (differs) counts[value === 0 ? 'outside' : 'inside']++
  })
  return counts
}

describe('a repair', () => {
  it('changes what is painted and not a byte elsewhere, by a seed of its own for each variant', async () => {
    const before = await raw(picture)
    const source = readFileSync(picture)
    const [first, second] = await repaired({ count: 2 })
    for (const after of [first!, second!]) {
      const { inside, outside } = changes(before, after, maskWhere(90, 70, PAINTED))
      expect(outside).toBe(0)
      expect(inside).toBeGreaterThan(700)
    }
    expect(first!.equals(second!)).toBe(false)
    // Each variant can be made again alone, and the source is as it was.
    expect((await repaired({ seed: 6 }))[0]!.equals(second!)).toBe(true)
    expect(readFileSync(picture).equals(source)).toBe(true)
  })

  it.each(['euler', 'dpmpp'] as const)('keeps the rest under %s, from noise alone, seeing the whole picture', async (sampler) => {
    const { context: _, ...rest } = request({ sampler, strength: 1 })
    const { pictures } = await repairPicture(rest, () => undefined)
    const { inside, outside } = changes(await raw(picture), await raw(pictures[0]!.path), maskWhere(90, 70, PAINTED))
    expect([outside, inside > 700]).toEqual([0, true])
  })

  it('gives the picture back at strength 0', async () => {
    expect((await repaired({ strength: 0 }))[0]!.equals(await raw(picture))).toBe(true)
  })

  it('changes more the stronger it is', async () => {
    const before = await raw(picture)
    const distance = (after: Buffer): number => after.reduce((sum, value, i) => sum + Math.abs(value - before[i]!), 0)
    const [[weak], [strong]] = [await repaired({ strength: 0.25 }), await repaired({ strength: 1 })]
    expect(distance(weak!)).toBeLessThan(distance(strong!))
  })

  it('follows adapters and the stages of a template', async () => {
    const [plain] = await repaired()
    const adapters = [{ path: join(GOLDEN, 'adapters', 'sd15-micro-peft.safetensors'), strength: 1 }]
    const [adapted] = await repaired({ adapters })
    const [staged] = await repaired({ template: { source: 'hands-five-fingers', slots: {} } })
    expect(adapted!.equals(plain!)).toBe(false)
    expect(staged!.equals(plain!)).toBe(false)
  })

  it('tells every step, and leaves its whole recipe in the file', async () => {
    const told: RepairProgress[] = []
    const asked = request({ count: 2, negative: 'six fingers' })
    const { pictures, notes } = await repairPicture(asked, (progress) => told.push(progress))
    expect(notes).toEqual([])
    expect(told.filter(({ path }) => path === null).map(({ picture: which, step, steps }) => [which, step, steps]))
      .toEqual([0, 1].flatMap((which) => [0, 1, 2, 3].map((step) => [which, step, 3])))
    expect(told.flatMap(({ path }) => path ?? [])).toEqual(pictures.map(({ path }) => path))

    const texts = readPngText(readFileSync(pictures[1]!.path))
    expect(texts.get('parameters')).toContain('Denoising strength: 0.75, Mask blur: 3')
    const recipe = z.looseObject({ repair: z.looseObject({ mask: z.string() }) }).parse(JSON.parse(texts.get('halfstep') ?? ''))
    const sha256 = createHash('sha256').update(readFileSync(picture)).digest('hex')
    expect(recipe).toMatchObject({
      model: 'sd15-micro', prompt: 'an open hand', negative: 'six fingers', seed: 6, steps: 4, width: 90, height: 70,
      repair: {
        source: { file: 'picture.png', sha256 }, strength: 0.75, feather: 3, context: 0.5,
        region: { left: 14, top: 0, width: 64, height: 64 }, drawnAt: { width: 128, height: 128 },
      },
    })
    const grey = (source: string | Buffer): Promise<Buffer> => sharp(source).greyscale().raw().toBuffer()
    expect((await grey(Buffer.from(recipe.repair.mask, 'base64'))).equals(await grey(mask))).toBe(true)
  })

  it('says when the place is larger than what the model draws', async () => {
    const large = await writePicture(join(folder, 'large.png'), 300, 200)
    const all = await writeMask(join(folder, 'all.png'), maskWhere(300, 200, () => true))
    const { notes } = await repairPicture(request({ picture: large, mask: all, steps: 1 }), () => undefined)
    expect(notes).toEqual([expect.stringContaining('softer than its surroundings')])
  })

  it('refuses a mask of other proportions and a picture that is none', async () => {
    const other = await writeMask(join(folder, 'other.png'), maskWhere(40, 70, () => true))
    await expect(repairPicture(request({ mask: other }), () => undefined)).rejects.toMatchObject({ code: 'recipe.impossible' })
    await expect(repairPicture(request({ picture: join(GOLDEN, 'README.md') }), () => undefined))
      .rejects.toMatchObject({ code: 'picture.malformed' })
  })
})

describe('halfstep repair', () => {
  it('does the same from the command line', async () => {
    const out = mkdtempSync(join(folder, 'out-'))
    const { code, out: printed } = await halfstep(
      'repair', picture, '--mask', mask, '--model', MODEL, '--prompt', 'an open hand', '--feather', '3', '--context', '0.5',
      '--strength', '0.75', '--seed', '5', '--steps', '4', '--guidance', '3', '--sampler', 'ddim', '--device', 'cpu',
      '--precision', 'float32', '--out', out,
    )
    expect(code).toBe(0)
    expect((await raw(printed.trim())).equals((await repaired())[0]!)).toBe(true)
  })

  it('names the mask when there is nothing on it', async () => {
    const black = await writeMask(join(folder, 'black.png'), maskWhere(90, 70, () => false))
    const { code, err } = await halfstep(
      'repair', picture, '--mask', black, '--model', MODEL, '--prompt', '', '--device', 'cpu', '--out', join(folder, 'none'),
    )
    expect(code).not.toBe(0)
    expect(err).toContain(`The mask ${black} is black all over`)
  })
})
