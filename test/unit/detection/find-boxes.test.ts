import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBoxes } from '../../../main/engine/detection/find-boxes.ts'
import { writePicture } from '../inpainting/mask-files.ts'
import { columns, writeDetector, type ExampleDetector } from './example-detector.ts'

let folder: string
let picture: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-detect-'))
  picture = await writePicture(join(folder, 'picture.png'), 128, 64)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** In a frame of 64 × 64 a picture of 128 × 64 is halved and begins 16 down. */
const HANDS = columns([[16, 32, 8, 8, 0.9, 0.1], [16, 32.5, 8, 8, 0.8, 0.1], [48, 40, 16, 16, 0.2, 0.6], [9, 9, 4, 4, 0.1, 0.1]])

function find(detector: ExampleDetector, confidence = 0.3) {
  return findBoxes({ detector: writeDetector(join(folder, 'detector.onnx'), detector), picture, confidence })
}

describe('a detector', () => {
  it('proposes what it finds in the picture’s own pixels, surest first, with its name', async () => {
    expect(await find({ ...HANDS, names: '{0: \'hand\', 1: "artist\'s hand"}' })).toEqual([
      { left: 24, top: 24, width: 16, height: 16, score: expect.closeTo(0.9), label: 'hand' },
      { left: 80, top: 32, width: 32, height: 32, score: expect.closeTo(0.6), label: "artist's hand" },
    ])
  })

  it('does without names, and with sizes that its file leaves open', async () => {
    const boxes = await find({ ...columns([[320, 320, 64, 64, 0.9]], 9), input: ['batch', 3, 'height', 'width'] })
    // In a frame of 640 × 640 the picture is five times as large and begins 160 down.
    expect(boxes).toEqual([{ left: 57, top: 25, width: 14, height: 14, score: expect.closeTo(0.9), label: null }])
  })

  it('reads boxes whose overlaps the model has removed itself', async () => {
    const rows = { shape: [1, 2, 6], numbers: [8, 24, 24, 40, 0.7, 1, 0, 0, 0, 0, 0, 0], names: '{0: \'face\', 1: \'hand\'}' }
    expect(await find(rows)).toEqual([{ left: 16, top: 16, width: 32, height: 32, score: expect.closeTo(0.7), label: 'hand' }])
  })

  it('finds nothing without complaint', async () => expect(await find(HANDS, 0.95)).toEqual([]))

  it.each<[string, ExampleDetector]>([
    ['its output output0 has the shape 1×25200×85', { shape: [1, 25_200, 85], numbers: new Array<number>(25_200 * 85).fill(0) }],
    ['it does not take one picture [1, 3, height, width]', { ...HANDS, input: [1, 1, 64, 64] }],
    ['it does not take one picture [1, 3, height, width]', { ...HANDS, input: [4, 3, 64, 64] }],
    ['its input images is not float32', { ...HANDS, type: 'float16' }],
    ['its scores reach 7.50, where probabilities from 0 to 1 are needed', columns([[16, 32, 8, 8, 7.5]])],
  ])('is refused in a sentence that names the file: %s', async (cause, detector) => {
    await expect(find(detector)).rejects.toMatchObject({
      code: 'recipe.impossible',
      message: expect.stringMatching(/detector\.onnx cannot be used as a detector: .*\.$/),
      nextStep: expect.stringMatching(/\.$/),
    })
    await expect(find(detector)).rejects.toThrow(cause)
  })

  it('is refused when it is no ONNX file, or not there', async () => {
    const path = join(folder, 'notes.onnx')
    writeFileSync(path, 'These are notes.')
    const request = { picture, confidence: 0.3 }
    await expect(findBoxes({ ...request, detector: path })).rejects.toMatchObject({ code: 'onnx.malformed' })
    await expect(findBoxes({ ...request, detector: join(folder, 'none.onnx') })).rejects.toMatchObject({ code: 'file.missing' })
  })
})
