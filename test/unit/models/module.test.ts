import { describe, expect, it } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import { Graph, nodesFor, type Node } from '../../../main/engine/graph/graph.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import type { AdapterSlot } from '../../../native-models/adapter-slot.ts'
import { Module, type ModelOptions } from '../../../native-models/module.ts'
import { compute, layout, noise, relativeError } from './fixtures.ts'

const linearWeights = [
  { name: 'a.fc.weight', shape: [6, 4] },
  { name: 'a.fc.bias', shape: [6] },
]

function start(options: ModelOptions = {}, weights = layout(linearWeights)): { graph: Graph; m: Module } {
  const graph = new Graph()
  return { graph, m: Module.root(graph.scope, weights, options).at('a') }
}

function nodes(graph: Graph): Node[] {
  return nodesFor(graph.outputs.values())
}

const slot = (name: string, rank = 2, alpha = 1): AdapterSlot => ({ name, target: () => ({ rank, alpha }) })

describe('weights', () => {
  it('are mapped where they lie, under their full name', () => {
    const { graph, m } = start()
    expect(m.weight('fc.bias', [6])).toMatchObject({
      name: 'a.fc.bias',
      source: { kind: 'weight', location: { file: '/weights.safetensors', byteOffset: 96, byteLength: 24 } },
    })
    expect(graph.inputs).toEqual([])
  })

  it('keep the type of their file and are cast to the compute type', () => {
    const half = layout(linearWeights, 'float16')
    const { graph, m } = start({ compute: 'float32' }, half)
    const weight = m.weight('fc.weight', [6, 4])
    expect(weight).toMatchObject({ dtype: 'float32', source: { kind: 'node', node: { operator: 'Cast' } } })
    graph.output('weight', weight)
    expect(nodes(graph)[0]?.inputs[0]).toMatchObject({ dtype: 'float16', source: { kind: 'weight' } })
    expect(start({ compute: 'float16' }, half).m.weight('fc.weight', [6, 4]).source.kind).toBe('weight')
  })

  it('that are missing or of another shape are refused by name', () => {
    expect(() => start().m.weight('other', [6])).toThrow('lacks the tensor a.other')
    expect(() => start().m.weight('fc.weight', [7, 4])).toThrow('a.fc.weight with shape 6×4')
    expect(() => start().m.weight('other', [6])).toThrow(HalfstepError)
  })

  it('stored transposed are read by Gemm as they are, without a Transpose', () => {
    const { graph, m } = start({}, layout(linearWeights, 'float32', ['a.fc.weight']))
    graph.output('y', m.linear('fc', graph.input('x', 'float32', [3, 4]), 6))
    expect(nodes(graph)).toMatchObject([{ operator: 'Gemm', attributes: { transB: false }, inputs: [{}, { shape: [4, 6] }, {}] }])
  })

  it('stored transposed are turned where something else than a linear layer takes them', () => {
    const { m } = start({}, layout(linearWeights, 'float32', ['a.fc.weight']))
    expect(m.weight('fc.weight', [6, 4])).toMatchObject({ shape: [6, 4], source: { node: { operator: 'Transpose' } } })
  })

  it('of a layer in pieces are stretches of the file', () => {
    const { graph, m } = start()
    m.linearPieces('fc', graph.input('x', 'float32', [3, 4]), [2, 4]).forEach((piece, i) => graph.output(`y${i}`, piece))
    const stretch = (shape: readonly number[], byteOffset: number, byteLength: number) => {
      return { shape, source: { location: { byteOffset, byteLength } } }
    }
    expect(nodes(graph).map((node) => node.inputs.slice(1))).toMatchObject([
      [stretch([2, 4], 0, 32), stretch([2], 96, 8)],
      [stretch([4, 4], 32, 64), stretch([4], 104, 16)],
    ])
  })

  it('to be trained are float32 inputs under their full name, listed once however often they are used', () => {
    const { graph, m } = start({ compute: 'float16', trainable: (name) => name.endsWith('weight') })
    const x = m.cast(graph.input('x', 'float32', [3, 4]))
    const y = m.linear('fc', x, 6)
    m.linear('fc', x, 6)
    expect(y.dtype).toBe('float16')
    expect(graph.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }))).toEqual([
      { name: 'x', dtype: 'float32', shape: [3, 4] },
      { name: 'a.fc.weight', dtype: 'float32', shape: [6, 4] },
    ])
    expect(m.parameters).toEqual([{ name: 'a.fc.weight', shape: [6, 4] }])
  })

  it('of an embedding are cast after the rows are picked', () => {
    const { graph, m } = start({}, layout([{ name: 'a.table.weight', shape: [1000, 4] }], 'float16'))
    const y = m.embedding('table', graph.input('ids', 'int64', [2, 3]), 1000, 4)
    expect(y).toMatchObject({ dtype: 'float32', shape: [2, 3, 4], source: { node: { operator: 'Cast', inputs: [{ shape: [2, 3, 4] }] } } })
  })
})

describe('adapters', () => {
  it('of a linear layer declare A, B and one strength per slot, and say so', () => {
    const { graph, m } = start({ adapters: [slot('style', 3, 6)] })
    m.linear('fc', graph.input('x', 'float32', [2, 5, 4]), 6)
    expect(graph.inputs.slice(1).map(({ name, shape }) => [name, shape])).toEqual([
      ['style.a.fc.lora_A.weight', [3, 4]],
      ['style.a.fc.lora_B.weight', [6, 3]],
      ['style.strength', []],
    ])
    expect(m.adapterTargets).toEqual([
      {
        slot: 'style',
        path: 'a.fc',
        kind: 'linear',
        rank: 3,
        alpha: 6,
        down: { input: 'style.a.fc.lora_A.weight', shape: [3, 4] },
        up: { input: 'style.a.fc.lora_B.weight', shape: [6, 3] },
      },
    ])
  })

  it('of a convolution have the window in A and 1×1 in B', () => {
    const weights = layout([{ name: 'a.conv.weight', shape: [6, 4, 3, 3] }])
    const { graph, m } = start({ adapters: [slot('style')] }, weights)
    const y = m.conv2d('conv', graph.input('x', 'float32', [1, 4, 8, 6]), 6, { kernel: 3, stride: 2, padding: 1, bias: false })
    expect(y.shape).toEqual([1, 6, 4, 3])
    expect(m.adapterTargets).toMatchObject([{ kind: 'conv2d', down: { shape: [2, 4, 3, 3] }, up: { shape: [6, 2, 1, 1] } }])
  })

  it('are asked for by module path and kind, and left out where the slot says so', () => {
    const asked: string[] = []
    const none: AdapterSlot = { name: 'none', target: (path, kind) => void asked.push(`${kind} ${path}`) }
    const { graph, m } = start({ adapters: [none] })
    m.linear('fc', graph.input('x', 'float32', [3, 4]), 6)
    expect(asked).toEqual(['linear a.fc'])
    expect(m.adapterTargets).toEqual([])
    expect(graph.inputs).toHaveLength(1)
  })

  it('cost no pass over the output: the layer itself is operand C of the last product', () => {
    const { graph, m } = start({ adapters: [slot('style')] })
    graph.output('y', m.linear('fc', graph.input('x', 'float32', [3, 4]), 6))
    expect(nodes(graph).map((node) => node.operator).toSorted()).toEqual(['Gemm', 'Gemm', 'Gemm', 'Mul'])
    expect(nodes(graph).find((node) => node.operator === 'Mul')?.outputs[0]?.shape).toEqual([3, 2])
  })

  it('give W x + b + Σ strength · (alpha/rank) · B A x, whole and in pieces, linear and 1×1 convolution alike', async () => {
    const weights = layout([])
    const adapters = [slot('first', 2, 1), slot('second', 1, 4)]
    const graph = new Graph()
    const m = Module.root(graph.scope, weights, { adapters, trainable: () => true })
    const x = graph.input('x', 'float32', [3, 4])
    graph.output('whole', m.linear('fc', x, 6))
    const [left, right] = m.linearPieces('fc', x, [2, 4])
    graph.output('left', left!)
    graph.output('right', right!)
    const image = graph.input('image', 'float32', [3, 4, 1, 1])
    graph.output('conv', m.conv2d('conv', image, 6, { kernel: 1 }))

    const values: Record<string, number[]> = {}
    const feeds = Object.fromEntries(
      graph.inputs.map(({ name, shape }) => {
        const key = name === 'image' ? 'x' : name.replace('conv', 'fc')
        const tensor = noise(shape, key.length + key.charCodeAt(0) + (key.includes('_A') ? 1 : 0))
        values[key] = [...tensor.data]
        return [name, tensor]
      }),
    )
    const product = (name: string, vector: readonly number[]): number[] => {
      const matrix = values[name]!
      const columns = vector.length
      const dot = (row: number): number => vector.reduce((sum, v, i) => sum + matrix[row * columns + i]! * v, 0)
      return Array.from({ length: matrix.length / columns }, (_, row) => dot(row))
    }
    const adapted = (name: string, vector: readonly number[]): number[] => {
      const strength = values[`${name}.strength`]![0]!
      return product(`${name}.fc.lora_B.weight`, product(`${name}.fc.lora_A.weight`, vector)).map((y) => y * strength)
    }
    const expected = [0, 1, 2].flatMap((row) => {
      const vector = values['x']!.slice(4 * row, 4 * row + 4)
      const base = product('fc.weight', vector).map((y, i) => y + values['fc.bias']![i]!)
      const [first, second] = [adapted('first', vector), adapted('second', vector)]
      return base.map((y, i) => y + first[i]! / 2 + second[i]! * 4)
    })
    const columns = (from: number, to: number): number[] => expected.filter((_, i) => i % 6 >= from && i % 6 < to)
    const results = await compute(graph, feeds)
    expect(relativeError(results['whole'], float32([3, 6], expected))).toBeLessThan(1e-6)
    expect(relativeError(results['conv'], float32([3, 6, 1, 1], expected))).toBeLessThan(1e-6)
    expect(relativeError(results['left'], float32([3, 2], columns(0, 2)))).toBeLessThan(1e-6)
    expect(relativeError(results['right'], float32([3, 4], columns(2, 6)))).toBeLessThan(1e-6)
  })
})

describe('segments', () => {
  it('hold the nodes of a module, or of a stretch that is none', () => {
    const { graph, m } = start()
    const x = graph.input('x', 'float32', [3, 4])
    expect(m.segment('fc').path).toBe('a.fc')
    const stretch = m.inSegment('first')
    expect(stretch.path).toBe('a')
    const y = stretch.linear('fc', x, 6)
    expect(y.source).toMatchObject({ node: { segment: { path: 'a.first', parent: undefined } } })
  })
})
