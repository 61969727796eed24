import { describe, expect, it } from 'vitest'
import { nearestName } from '../../../main/engine/rewards/nearest-name.ts'
import { parseRewardSpec } from '../../../main/engine/rewards/reward-recipe.ts'
import { refusal } from '../weights/crafted.ts'

describe('a reward in a recipe', () => {
  it('is taken with its defaults', () => {
    const defaults = { divideBy: 1, weight: 1, normalise: false }
    expect(parseRewardSpec({ kind: 'pickscore', path: 'P' })).toEqual({ kind: 'pickscore', path: 'P', ...defaults })
  })

  it('is taken in every kind', () => {
    const parts = [
      { kind: 'onnx', path: 'a.onnx', target: { output: 'y', index: 2, transform: 'log-probability' }, mean: [0, 0, 0], std: [1, 1, 1] },
      { kind: 'critic', path: 'b.onnx', name: 'mine', weight: -2, clip: [-1, 1], normalise: true },
      { kind: 'aesthetic', path: 'clip', head: 'head.safetensors' },
      { kind: 'prompt-match', path: 'clip', scale: 'logit' },
      { kind: 'pickscore', path: 'pick', divideBy: 100 },
      { kind: 'hpsv2', path: 'hps.safetensors' },
      { kind: 'likeness', path: 'clip', pictures: ['1.png', '2.png'] },
    ]
    expect(parseRewardSpec({ kind: 'mixture', parts })).toMatchObject({ kind: 'mixture', parts })
  })

  it.each([
    [{ kind: 'aesthetic', path: 'a', hed: 'b' }, 'reward has the unknown key hed.', 'Did you mean head?'],
    [{ kind: 'hpsv2', path: 'a', wieght: 2 }, 'reward has the unknown key wieght.', 'Did you mean weight?'],
    [{ kind: 'hpsv2', path: 'a', zebra: 2 }, 'reward has the unknown key zebra.', 'Use one of kind, path, name, weight, clip, normalise.'],
    [{ kind: 'onnx', path: 'a', target: { indx: 2 } }, 'reward.target has the unknown key indx.', 'Did you mean index?'],
    [{ kind: 'mixture', parts: [{ kind: 'hpsv2', path: 'a', clp: 1 }] }, 'reward.parts.0 has the unknown key clp.', 'Did you mean clip?'],
    [{ kind: 'mixture', parts: [{ kind: 'hps', path: 'a' }] }, 'reward.parts.0.kind is "hps", a kind of reward that', 'hpsv2'],
    [{ kind: 'mixture', parts: [{ kind: 'mixture', parts: [] }] }, 'reward.parts.0.kind is "mixture", a kind', ''],
    [{ kind: 'mixture', parts: [] }, 'reward.parts is []', ''],
    [{ path: 'a' }, 'The key reward.kind is missing.', ''],
    [{ kind: 'hpsv2' }, 'The key reward.path is missing.', ''],
    [{ kind: 'hpsv2', path: 3 }, 'reward.path is 3: expected string', ''],
    [{ kind: 'hpsv2', path: 'a', weight: '1' }, 'reward.weight is "1": expected number', ''],
    [{ kind: 'hpsv2', path: 'a', clip: [1, 0] }, 'reward.clip is [1,0]: the first must be below the second.', ''],
    [{ kind: 'onnx', path: 'a', std: [1, 0, 1] }, 'reward.std is [1,0,1]: they must be positive.', ''],
    ['pickscore', 'reward is "pickscore"', ''],
    [undefined, 'The key reward is missing.', ''],
  ])('refuses %j', async (raw, message, nextStep) => {
    const error = await refusal(Promise.resolve().then(() => parseRewardSpec(raw)))
    expect(error.code).toBe('recipe.malformed')
    expect(error.message).toContain(message)
    expect(error.nextStep).toContain(nextStep)
  })
})

it.each([
  ['wieght', 'weight'],
  ['Weight', 'weight'],
  ['normalize', 'normalise'],
  ['banana', undefined],
])('takes %s for %s', (word, meant) => {
  expect(nearestName(word, ['kind', 'path', 'weight', 'normalise'])).toBe(meant)
})
