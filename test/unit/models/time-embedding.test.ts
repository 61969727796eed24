import { describe, expect, it } from 'vitest'
import { Graph } from '../../../main/engine/graph/graph.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { sinusoids, type SinusoidOptions } from '../../../native-models/time-embedding.ts'
import { compute } from './fixtures.ts'

const times = [0, 1, 42.5, 999]

async function embed(options: SinusoidOptions): Promise<number[][]> {
  const graph = new Graph()
  graph.output('y', sinusoids(graph.scope, graph.input('t', 'float32', [times.length]), options))
  const { y } = await compute(graph, { t: float32([times.length], times) })
  const numbers = [...y!.data].map(Number)
  return times.map((_, i) => numbers.slice(i * options.width, (i + 1) * options.width))
}

describe('sinusoids', () => {
  it.each([0, 1])('are cos and sin of t · 10000^(−i / (width/2 − %i))', async (freqShift) => {
    const rows = await embed({ width: 8, flipSinToCos: true, freqShift })
    rows.forEach((row, r) => {
      const angles = [0, 1, 2, 3].map((i) => times[r]! * 10000 ** (-i / (4 - freqShift)))
      const expected = [...angles.map(Math.cos), ...angles.map(Math.sin)]
      row.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 3))
    })
  })

  it('begin with the sines unless flipped', async () => {
    const [zero] = await embed({ width: 4, flipSinToCos: false, freqShift: 0 })
    expect(zero).toEqual([0, 0, 1, 1])
  })

  it('end with a zero where the width is odd', async () => {
    const [zero] = await embed({ width: 5, flipSinToCos: true, freqShift: 0 })
    expect(zero).toEqual([1, 1, 0, 0, 0])
  })
})
