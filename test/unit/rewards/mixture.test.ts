import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blackBox } from '../../../main/engine/rewards/black-box.ts'
import { Mixture } from '../../../main/engine/rewards/mixture.ts'
import { PromptStatistics } from '../../../main/engine/rewards/prompt-statistics.ts'
import { expectRefusal } from '../weights/crafted.ts'
import { picturesOf, slopes, squares } from './fixtures.ts'

const brightness = blackBox('brightness', ({ data }, prompts) => prompts.map((_, b) => data[3 * b] ?? 0))
const many = (count: number, prompt: string): string[] => new Array<string>(count).fill(prompt)

describe('a mixture', () => {
  it('adds its parts by weight', async () => {
    const mixture = new Mixture([{ reward: squares('a'), weight: 2 }, { reward: squares('b', 10), weight: -0.5 }])
    expect([...(await mixture.evaluate(picturesOf([4, 9]), ['', '']))]).toEqual([2 * 4 - 0.5 * 40, 2 * 9 - 0.5 * 90])
  })

  it('has the gradient its values show, clipped and normalised', async () => {
    const parts = [
      { reward: squares('free'), weight: 1.5 },
      { reward: squares('clipped', 2), weight: -1, clip: [0, 10] as const },
      { reward: squares('normal', 3), weight: 0.7, normalise: true },
    ]
    const mixture = new Mixture(parts)
    const prompts = ['fox', 'cat', 'fox']
    for (let i = 0; i < 20; i++) await mixture.evaluate(picturesOf([i, 2 * i, i + 1]), prompts)
    mixture.settle()
    const direction = Float32Array.of(1, 0, 0, -1, 0, 0, 0.5, 0, 0)
    const { numeric, analytic } = await slopes(mixture, picturesOf([4, 9, 1]), prompts, Float64Array.of(0.3, 1, -2), direction, 1e-2)
    expect(analytic).toBeCloseTo(numeric, 3)
  })

  it('has no gradient where a value is clipped', async () => {
    const mixture = new Mixture([{ reward: squares(), weight: 1, clip: [2, 5] }])
    const { values, dPictures } = await mixture.gradient!(picturesOf([1, 4, 9]), many(3, ''), Float64Array.of(1, 1, 1))
    expect([...values]).toEqual([2, 4, 5])
    expect([dPictures.data[0], dPictures.data[3], dPictures.data[6]]).toEqual([0, 4, 0])
  })

  it('has none as long as a part with a weight has none, and says which', async () => {
    const mixture = new Mixture([{ reward: squares(), weight: 1 }, { reward: brightness, weight: 1 }])
    expect(mixture.gradient).toBeUndefined()
    expect(mixture.whyNoGradient).toContain('brightness: it is a function')
    mixture.setWeight('brightness', 0)
    expect(mixture.whyNoGradient).toBeUndefined()
    const { values } = await mixture.gradient!(picturesOf([4]), [''], Float64Array.of(1))
    expect([...values]).toEqual([4])
  })

  it('does not compute parts of weight 0, but shows them on request', async () => {
    let calls = 0
    const counter = blackBox('counter', (_, prompts) => prompts.map(() => ++calls))
    const mixture = new Mixture([{ reward: squares(), weight: 1 }, { reward: counter, weight: 0 }])
    await mixture.evaluate(picturesOf([1]), [''])
    expect(calls).toBe(0)
    expect((await mixture.inspect(picturesOf([1]), [''])).map(({ name }) => name)).toEqual(['squares', 'counter'])
    expect(calls).toBe(1)
  })

  it('tells what each part said, for curves', async () => {
    const mixture = new Mixture([{ reward: squares('a'), weight: 2, clip: [0, 5] }, { reward: brightness, weight: 1 }])
    await mixture.evaluate(picturesOf([4, 9]), ['', ''])
    const [a, b] = mixture.latest
    expect([a?.name, a?.weight, ...(a?.raw ?? []), ...(a?.used ?? [])]).toEqual(['a', 2, 4, 9, 4, 5])
    expect([b?.name, ...(b?.raw ?? [])]).toEqual(['brightness', 2, 3])
  })

  it('takes a new weight at once', async () => {
    const mixture = new Mixture([{ reward: squares(), weight: 1 }])
    mixture.setWeight('squares', 3)
    expect([...(await mixture.evaluate(picturesOf([4]), ['']))]).toEqual([12])
    expect(mixture.weights).toEqual({ squares: 3 })
  })

  it('refuses a weight for a reward it does not have, or that is no number', async () => {
    const mixture = new Mixture([{ reward: squares(), weight: 1 }])
    const set = (name: string, weight: number) => Promise.resolve().then(() => mixture.setWeight(name, weight))
    await expectRefusal(set('sqares', 1), 'call.invalid', 'sqares')
    await expectRefusal(set('squares', NaN), 'call.invalid', 'NaN')
  })

  it('refuses two parts of one name', () => {
    const part = { reward: squares(), weight: 1 }
    expect(() => new Mixture([part, part])).toThrow('Two rewards are named squares.')
  })
})

describe('normalisation per prompt', () => {
  const normalised = () => new Mixture([{ reward: squares(), weight: 1, normalise: true }])

  it('takes off the mean of the prompt and divides by its deviation', async () => {
    const mixture = normalised()
    const [easy, hard] = [[10, 12, 14, 16], [1, 1, 3, 3]]
    for (let i = 0; i < 4; i++) {
      await mixture.evaluate(picturesOf([...easy, ...hard]), [...many(4, 'easy'), ...many(4, 'hard')])
    }
    mixture.settle()
    const values = await mixture.evaluate(picturesOf([13, 2, 3]), ['easy', 'hard', 'hard'])
    ;[0, 0, 1].forEach((expected, b) => expect(values[b]).toBeCloseTo(expected, 5))
  })

  it('leaves values as they are before anything was seen, and takes all prompts together for a new one', async () => {
    const mixture = normalised()
    expect((await mixture.evaluate(picturesOf([4]), ['a']))[0]).toBeCloseTo(4, 5)
    await mixture.evaluate(picturesOf([8]), ['b'])
    mixture.settle()
    const [value] = await mixture.evaluate(picturesOf([10]), ['c'])
    expect(value).toBeCloseTo((10 - 6) / 2, 5)
  })

  it('is the same throughout one update, and forgets an update that is undone', async () => {
    const mixture = normalised()
    await mixture.evaluate(picturesOf([4, 8]), ['a', 'a'])
    mixture.settle()
    const state = mixture.state
    const first = await mixture.evaluate(picturesOf([100]), ['a'])
    expect(await mixture.evaluate(picturesOf([100]), ['a'])).toEqual(first)
    mixture.discard()
    mixture.settle()
    expect(mixture.state).toEqual(state)
  })

  it('does not blow up a reward that is constant', async () => {
    const mixture = normalised()
    await mixture.evaluate(picturesOf([4, 4, 4]), many(3, 'a'))
    mixture.settle()
    const values = await mixture.evaluate(picturesOf([4, 5]), ['a', 'a'])
    expect(values[0]).toBeCloseTo(0, 5)
    expect(values[1]).toBeCloseTo(1, 5)
  })

  it('is not spoilt by a value that is not finite', async () => {
    const mixture = new Mixture([{ reward: blackBox('box', () => [NaN]), weight: 1, normalise: true }])
    await mixture.evaluate(picturesOf([1]), ['a'])
    mixture.settle()
    expect(mixture.state.statistics.box?.all.count).toBe(0)
  })

  it('continues from a saved state to the last bit', async () => {
    const run = async (mixture: Mixture, from: number, to: number): Promise<number[]> => {
      const seen: number[] = []
      for (let i = from; i < to; i++) {
        seen.push(...(await mixture.evaluate(picturesOf([(i * 7) % 11, (i * 5) % 13]), ['__proto__', `prompt ${i % 2}`])))
        mixture.settle()
      }
      return seen
    }
    const whole = await run(normalised(), 0, 60)
    const first = normalised()
    first.setWeight('squares', 1)
    await run(first, 0, 35)
    const second = normalised()
    second.restore(JSON.parse(JSON.stringify(first.state)))
    expect(await run(second, 35, 60)).toEqual(whole.slice(70))
  })

  it('restores weights that were changed', () => {
    const [before, after] = [normalised(), normalised()]
    before.setWeight('squares', 7)
    after.restore(before.state)
    expect(after.weights).toEqual({ squares: 7 })
  })

  const otherStates = [null, {}, { weights: {}, statistics: { other: {} } }, { weights: {}, statistics: {} }]
  it.each(otherStates)('refuses the state %j', async (state) => {
    await expectRefusal(Promise.resolve().then(() => normalised().restore(state)), 'run.damaged', 'state of the rewards')
  })
})

it('running statistics are those of all values at once', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 16, maxLength: 60 }), (values) => {
      const statistics = new PromptStatistics()
      for (const value of values) statistics.observe('a', value)
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
      const { mean: ours, deviation: spread } = statistics.of('a')
      expect(ours).toBeCloseTo(mean, 6)
      if (deviation > 1e-3) expect(spread).toBeCloseTo(deviation, 6)
    }),
  )
})
