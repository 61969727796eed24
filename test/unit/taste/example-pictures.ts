import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodePng } from '../../../main/engine/pictures/png.ts'
import { Random } from '../../../main/engine/random/random.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'

export const SIDE = 64

/** A disc on a ground, with everything at random. */
export interface Drawing {
  readonly pixels: Float32Array
  /** 0 … 1 */
  readonly warmth: number
}

/** Drawings that differ in ground, disc, place and noise; how warm the disc is, is what someone may like. */
export function drawings(count: number, seed = 5): Drawing[] {
  const random = new Random(seed)
  return Array.from({ length: count }, (_, n) => {
    const [warmth = 0, ground = 0, x = 0, y = 0, size = 0] = random.uniform('sample', [n], 5)
    const noise = random.normal('stepNoise', [n], [3 * SIDE * SIDE]).data
    const disc = [0.2 + 0.7 * warmth, 0.4, 0.9 - 0.7 * warmth]
    const [left, top, radius] = [16 + 32 * x, 16 + 32 * y, 12 + 8 * size]
    const pixels = noise.map((value, k) => {
      const [channel, row, column] = [Math.floor(k / SIDE ** 2), Math.floor((k % SIDE ** 2) / SIDE), k % SIDE]
      const inside = Math.hypot(column - left, row - top) < radius
      return (inside ? disc[channel]! : 0.2 + 0.5 * ground) + 0.04 * value
    })
    return { pixels, warmth }
  })
}

/** The drawings as files in a fresh folder. */
export async function writeDrawings(all: readonly Drawing[]): Promise<{ readonly folder: string; readonly paths: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'halfstep-taste-'))
  const paths = await Promise.all(all.map(async ({ pixels }, n) => {
    const path = join(folder, `${n}.png`)
    await writeFile(path, await encodePng(float32([1, 3, SIDE, SIDE], pixels)))
    return path
  }))
  return { folder, paths }
}

/** Two different drawings by their positions, and a number from 0 to 1 to choose between them by. */
export interface DrawnPair {
  readonly left: number
  readonly right: number
  readonly chance: number
}

/** Pairs of different drawings, drawn with a seed. */
export function pairs(count: number, drawn: number, seed = 9): DrawnPair[] {
  const random = new Random(seed)
  return Array.from({ length: count }, (_, n) => {
    const [a = 0, b = 0, chance = 0] = random.uniform('sample', [n], 3)
    const left = Math.floor(a * drawn)
    return { left, right: (left + 1 + Math.floor(b * (drawn - 1))) % drawn, chance }
  })
}
