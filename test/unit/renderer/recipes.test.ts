import { describe, expect, it } from 'vitest'
import { comparedSeries, settingDifferences } from '../../../renderer/pages/compare/compare-runs.ts'
import { linesOf, parseSlots, slotText } from '../../../renderer/pages/prompts/slot-text.ts'
import { fieldText, partsOf, specOf } from '../../../renderer/pages/rewards/reward-parts.ts'
import { picturesByTime, timeWords } from '../../../renderer/pages/run/picture-times.ts'
import { withPoint } from '../../../renderer/state/metric-series.ts'
import { settingOf, withSettings } from '../../../renderer/state/recipe-settings.ts'

const point = (update: number, parts: Record<string, number> = {}) => ({
  update, mean: update / 10, spread: 0.1, min: 0, max: 1, gradientNorm: 1, learningRate: 1e-3, seconds: 2, parts,
})
const NONE = { update: [], mean: [], spread: [], min: [], max: [], gradientNorm: [], learningRate: [], seconds: [], parts: {} }

describe('a recipe’s settings', () => {
  const recipe = { updates: 10, optimizer: { learningRate: 1e-3, beta1: 0.9 }, model: 'x' }

  it('are read and written by their path, and the rest stays', () => {
    expect(['optimizer.learningRate', 'model', 'a.b'].map((path) => settingOf(recipe, path))).toEqual([1e-3, undefined, undefined])
    expect(withSettings(recipe, { 'updates': 5, 'optimizer.learningRate': 2, 'penalties.drift': 1 }))
      .toEqual({ updates: 5, optimizer: { learningRate: 2, beta1: 0.9 }, model: 'x', penalties: { drift: 1 } })
    expect(recipe.updates).toBe(10)
  })

  it('that differ between runs are named, those that only tell when and from what are not', () => {
    const other = { ...recipe, updates: 20, optimizer: { learningRate: 1e-3, beta1: 0.8 }, date: 'today', prompts: ['a'] }
    expect(settingDifferences([recipe, other])).toEqual([
      { key: 'optimizer.beta1', values: ['0.9', '0.8'] },
      { key: 'prompts', values: ['–', '["a"]'] },
      { key: 'updates', values: ['10', '20'] },
    ])
    expect(settingDifferences([recipe, recipe])).toEqual([])
  })
})

describe('curves', () => {
  it('grow by a point, and drop what a checkpoint has undone', () => {
    const three = [point(1), point(2, { drift: 0.5 }), point(3)].reduce(withPoint, NONE)
    expect([three.update, three.parts]).toEqual([[1, 2, 3], { drift: [null, 0.5, null] }])
    const again = withPoint(three, point(2, { drift: 0.7 }))
    expect([again.update, again.parts, again.mean]).toEqual([[1, 2], { drift: [null, 0.7] }, [0.1, 0.2]])
  })

  it('of several runs share an axis and keep their names apart', () => {
    const runs = [[point(1), point(3)], [point(2)]].map((points) => ({ label: 'run', metrics: points.reduce(withPoint, NONE) }))
    const { update, series } = comparedSeries(runs)
    expect(update).toEqual([1, 2, 3])
    expect(series.map(({ label, values }) => [label, values])).toEqual([['run', [0.1, null, 0.3]], ['run (2)', [null, 0.2, null]]])
  })
})

describe('a run’s pictures', () => {
  it('are ordered by time and place', () => {
    const picture = (update: number, position: number) => ({ update, position, url: `/library/${update}-${position}` })
    const times = picturesByTime([picture(20, 1), picture(0, 0), picture(20, 0)])
    expect(times.map(({ update, pictures }) => [update, pictures.map(({ position }) => position)])).toEqual([[0, [0]], [20, [0, 1]]])
    expect([timeWords(0), timeWords(20)]).toEqual(['Before training', 'After update 20'])
  })
})

describe('prompts and rewards as text', () => {
  it('keep slots over writing and reading, and ignore lines that say nothing', () => {
    const slots = { thing: ['a cup', 'a bird'], colour: ['red'] }
    expect(parseSlots(slotText(slots))).toEqual(slots)
    expect(parseSlots('nothing\n: a\nempty:\n  x : 1 ,, 2 ')).toEqual({ x: ['1', '2'] })
    expect(linesOf(' a \n\n b')).toEqual(['a', 'b'])
  })

  it('keep a reward over taking it apart and putting it together', () => {
    const one = { kind: 'onnx', path: 'a.onnx' }
    const mixture = { kind: 'mixture', parts: [one, { kind: 'likeness', path: 'clip', pictures: ['a', 'b'], weight: 0.5 }] }
    expect([specOf(partsOf(one)), specOf(partsOf(mixture))]).toEqual([one, mixture])
    expect(specOf([{ ...one, weight: 2 }])).toEqual({ kind: 'mixture', parts: [{ ...one, weight: 2 }] })
    expect(fieldText(mixture.parts[1]!, 'pictures')).toBe('a\nb')
  })
})
