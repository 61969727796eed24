import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { OnnxGraph } from '../../../main/engine/graph/onnx/schema.ts'
import { openOnnxReward, type OnnxRewardOptions } from '../../../main/engine/rewards/onnx-reward.ts'
import type { Reward } from '../../../main/engine/rewards/reward.ts'
import type { RewardPlace } from '../../../main/engine/rewards/scoring-network.ts'
import { float32, int64, toFloat32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'
import { golden, noise, openCases, relativeError } from '../models/fixtures.ts'
import { buildGraph, buildModel, declared, node, stored } from '../onnx/build-model.ts'
import { expectRefusal, temporaryFolder } from '../weights/crafted.ts'
import { place, slopes } from './fixtures.ts'

async function open(file: string, options: OnnxRewardOptions, where: Partial<RewardPlace>): Promise<Reward> {
  const reward = await openOnnxReward(file, options, place(where))
  onTestFinished(() => reward.dispose())
  return reward
}

/** A model from pictures `x` [n, 3, 4, 4] to `y`, as a file. */
async function modelFile(graph: Partial<OnnxGraph>): Promise<string> {
  const file = join(await temporaryFolder(), 'judge.onnx')
  const input = [declared('x', 'float32', ['n', 3, 4, 4])]
  await writeFile(file, buildModel({ input, output: [declared('y', 'float32')], ...graph }))
  return file
}

/** Positive, so that nothing is limited, and of no particular size. */
function pictures(count: number, height = 4, width = 4): FloatTensor {
  return float32([count, 3, height, width], noise([count, 3, height, width]).data.map((x) => (x + 1) / 2))
}

const SMALL = { height: 4, width: 4 }
const names = (count: number): string[] => new Array<string>(count).fill('')
const mean = node('ReduceMean', ['x', 'axes'], ['y'], { keepdims: 0 })
const axes = stored('axes', int64([3], [1, 2, 3]))

it('gives PyTorch’s scores and gradient for an exported model', async () => {
  const cases = await openCases(golden('onnx/mobilenet.safetensors'))
  const [pixels, upstream] = [toFloat32(await cases('input.pixels')), toFloat32(await cases('upstream'))]
  const reward = await open(golden('onnx/mobilenet.onnx'), { clamp: false }, { height: 22, width: 18 })
  const { values, dPictures } = await reward.gradient!(pixels, names(2), Float64Array.from(upstream.data))
  expect(relativeError(float32([2], [...values]), await cases('output'))).toBeLessThan(1e-4)
  expect(relativeError(dPictures, await cases('gradient.pixels'))).toBeLessThan(1e-4)
  expect(reward.name).toBe('mobilenet')
})

describe.each(['none', 'probability', 'log-probability', 'sigmoid'] as const)('a class of a classifier as %s', (transform) => {
  it('has the gradient its values show, through the resize and the normalisation', async () => {
    const options = { target: { index: 3, transform }, height: 16, width: 12, mean: [0.5, 0.4, 0.3], std: [0.3, 0.3, 0.2] } as const
    const reward = await open(golden('onnx/convnext.onnx'), options, { height: 40, width: 36 })
    const inside = float32([2, 3, 40, 36], noise([2, 3, 40, 36]).data.map((x) => 0.5 + 0.1 * x))
    const direction = noise([2, 3, 40, 36], 5).data
    const { numeric, analytic } = await slopes(reward, inside, names(2), Float64Array.of(1, -0.4), direction, 5e-3)
    expect(Math.abs(analytic - numeric)).toBeLessThan(2e-3 * Math.abs(numeric))
  })
})

it('gives softmax’s logarithm as the log-probability', async () => {
  const score = async (transform: 'none' | 'probability' | 'log-probability', index: number): Promise<number> => {
    const reward = await open(golden('onnx/resnet.onnx'), { target: { output: 'y', index, transform } }, {})
    return (await reward.evaluate(pictures(1, 40, 36), ['']))[0]!
  }
  const logits = await Promise.all([0, 1, 2, 3, 4].map((index) => score('none', index)))
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0)
  expect(await score('probability', 2)).toBeCloseTo(Math.exp(logits[2]!) / total, 5)
  expect(await score('log-probability', 2)).toBeCloseTo(logits[2]! - Math.log(total), 5)
})

it('works through any number of pictures, whatever batch the file fixes', async () => {
  const fixed = await modelFile({ input: [declared('x', 'float32', [1, 3, 4, 4])], node: [mean], initializer: [axes] })
  const reward = await open(fixed, {}, { ...SMALL, batch: 4 })
  const { values, dPictures } = await reward.gradient!(pictures(3), names(3), Float64Array.of(1, 2, 3))
  values.forEach((value, b) => {
    const row = pictures(3).data.subarray(b * 48, (b + 1) * 48)
    expect(value).toBeCloseTo(row.reduce((sum, x) => sum + x, 0) / 48, 5)
  })
  expect(dPictures.data[0]).toBeCloseTo(1 / 48, 6)
  expect(dPictures.data.at(-1)).toBeCloseTo(3 / 48, 6)
})

it('shows open sizes the picture as it is, or at the size asked for', async () => {
  const input = [declared('x', 'float32', ['n', 3, 'h', 'w'])]
  const shape = [node('Shape', ['x'], ['s']), node('Cast', ['s'], ['f'], { to: 1 })]
  const read = [...shape, node('Mul', ['zero', 'f'], ['z']), node('ReduceMean', ['x', 'axes'], ['m'], { keepdims: 0 })]
  const out = [node('Unsqueeze', ['f', 'first'], ['row']), node('Expand', ['row', 'two'], ['y'])]
  const initializer = [axes, stored('zero', float32([], [0])), stored('first', int64([1], [0])), stored('two', int64([2], [1, 4]))]
  const file = await modelFile({ input, node: [...read, ...out], initializer })
  const height = async (options: OnnxRewardOptions): Promise<number> => {
    const reward = await open(file, { ...options, target: { index: 2 } }, { height: 9, width: 6, batch: 1 })
    return (await reward.evaluate(pictures(1, 9, 6), ['']))[0]!
  }
  expect(await height({})).toBe(9)
  expect(await height({ height: 5, width: 5 })).toBe(5)
})

describe('has no gradient, and says why', () => {
  it('for an operator that cannot be imported, which ONNX Runtime then computes', async () => {
    const initializer = [stored('axis', int64([], [1]))]
    const file = await modelFile({ node: [node('CumSum', ['x', 'axis'], ['y'])], initializer })
    const reward = await open(file, { target: { index: 47 } }, SMALL)
    expect(reward.gradient).toBeUndefined()
    expect(reward.whyNoGradient).toContain('CumSum')
    const three = pictures(3)
    const values = await reward.evaluate(three, names(3))
    values.forEach((value, b) => expect(value).toBeCloseTo([15, 31, 47].reduce((sum, i) => sum + three.data[48 * b + i]!, 0), 5))
  })

  it('for an operator that has none', async () => {
    const output = [declared('o', 'float32')]
    const branch = (operator: string) => ({ graph: buildGraph({ node: [node(operator, ['m'], ['o'])], output }) })
    const list = [
      node('ReduceMean', ['x', 'axes'], ['m'], { keepdims: 0 }),
      node('ReduceMean', ['m'], ['whole'], { keepdims: 0 }),
      node('Greater', ['whole', 'half'], ['c']),
      node('If', ['c'], ['y'], { then_branch: branch('Neg'), else_branch: branch('Abs') }),
    ]
    const reward = await open(await modelFile({ node: list, initializer: [axes, stored('half', float32([], [0.5]))] }), {}, SMALL)
    expect(reward.gradient).toBeUndefined()
    expect(reward.whyNoGradient).toContain('If at')
    expect(await reward.evaluate(pictures(2), names(2))).toHaveLength(2)
  })

  it('for a score that only moves in steps', async () => {
    const list = [node('ReduceMean', ['x', 'axes'], ['m'], { keepdims: 0 }), node('Round', ['m'], ['y'])]
    const reward = await open(await modelFile({ node: list, initializer: [axes] }), {}, SMALL)
    expect(reward.gradient).toBeUndefined()
    expect(reward.whyNoGradient).toContain('Round')
    expect([...(await reward.evaluate(pictures(2), names(2)))].every(Number.isInteger)).toBe(true)
  })
})

describe('is refused in a sentence', () => {
  const refused = (file: string, options: OnnxRewardOptions, ...named: readonly string[]): Promise<void> =>
    expectRefusal(openOnnxReward(file, options, place(SMALL)), 'recipe.impossible', file, ...named)

  it('when it takes something else than pictures', async () => {
    await refused(golden('onnx/text.onnx'), {}, 'ids')
  })

  it('when it takes something beside the pictures', async () => {
    const input = [declared('x', 'float32', ['n', 3, 4, 4]), declared('prompt', 'int64', [77])]
    await refused(await modelFile({ input, node: [mean], initializer: [axes] }), {}, 'prompt', '2 inputs')
  })

  it('when its pictures are not in colour', async () => {
    const input = [declared('x', 'float32', ['n', 1, 4, 4])]
    await refused(await modelFile({ input, node: [mean], initializer: [axes] }), {}, '1 channels')
  })

  it('when nobody says which of several numbers counts', async () => {
    await refused(golden('onnx/resnet.onnx'), {}, 'target.index', '5 numbers')
  })

  it('when the number does not exist', async () => {
    await refused(golden('onnx/resnet.onnx'), { target: { index: 5 } }, 'target.index is 5')
  })

  it('when the output does not exist', async () => {
    await refused(golden('onnx/resnet.onnx'), { target: { output: 'score' } }, 'no output score')
  })

  it('when nobody says which of several outputs counts', async () => {
    const output = [declared('y', 'float32'), declared('z', 'float32')]
    await refused(await modelFile({ output, node: [mean, node('Neg', ['y'], ['z'])], initializer: [axes] }), {}, '2 outputs')
  })

  it('when the whole batch gets one number', async () => {
    const whole = node('ReduceMean', ['x'], ['y'], { keepdims: 0 })
    await refused(await modelFile({ node: [whole] }), {}, 'each of 2 pictures')
  })

  it('when the file is not there', async () => {
    await expectRefusal(openOnnxReward('nothing.onnx', {}, place()), 'file.missing', 'nothing.onnx')
  })
})
