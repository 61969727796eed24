import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { testReward } from '../../../main/engine/jobs/test-reward.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'halfstep-test-reward-'))))
afterEach(() => rmSync(folder, { recursive: true }))

async function gray(level: number, size: number, name: string): Promise<string> {
  const path = join(folder, `${name}.png`)
  await sharp({ create: { width: size, height: size, channels: 3, background: { r: level, g: level, b: level } } }).png().toFile(path)
  return path
}

it('compares a picture with the others of its prompt and size, wherever they stand in the row', async () => {
  const pictures = [
    { path: await gray(0, 8, 'black'), prompt: 'a hand' },
    { path: await gray(255, 8, 'foot'), prompt: 'a foot' },
    { path: await gray(255, 16, 'large'), prompt: 'a hand' },
    { path: await gray(51, 8, 'dark'), prompt: 'a hand' },
    { path: await gray(102, 8, 'middle'), prompt: 'a hand' },
  ]
  const done: number[] = []
  const context = { progress: (at: { done: number }) => void done.push(at.done), log: () => undefined, onCommand: () => undefined }
  const readings = await testReward({ reward: { kind: 'variety', weight: 2 }, pictures, device: 'cpu', precision: 'float32' }, context)
  // Levels 0, 0.2 and 0.4: each one's mean distance to the other two, and nothing to compare the foot and the large one with.
  for (const [i, variety] of [0.3, 0, 0, 0.2, 0.3].entries()) {
    expect(readings[i]?.parts['variety']).toBeCloseTo(variety)
    expect(readings[i]?.value).toBeCloseTo(2 * variety)
  }
  expect(done.at(-1)).toBe(5)
})
