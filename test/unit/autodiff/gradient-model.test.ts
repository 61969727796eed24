import { describe, expect, it } from 'vitest'
import { gradientModel } from '../../../main/engine/autodiff/gradient-model.ts'
import { HalfstepError } from '../../../main/engine/errors.ts'
import { Graph } from '../../../main/engine/graph/graph.ts'
import { readOnnx } from '../../../main/engine/graph/onnx/read.ts'
import { writeOnnx } from '../../../main/engine/graph/onnx/write.ts'
import * as ops from '../../../main/engine/graph/ops/index.ts'
import { float32, type Tensor } from '../../../main/engine/tensor/tensor.ts'
import { buildGraph, buildModel, declared, node, stored } from '../onnx/build-model.ts'
import { runFile } from '../onnx/run-model.ts'

const x = float32([3], [0.5, -1, 2])
const equal = float32([3], [2, 2, 2])

/** y = a x + b with equal a and b, and z = Σ y. */
const LINE = buildModel({
  node: [
    node('Mul', ['a', 'x'], ['ax']),
    node('Add', ['ax', 'b'], ['y']),
    node('ReduceSum', ['y'], ['z'], { keepdims: 0 }),
    node('Shape', ['y'], ['n']),
  ],
  initializer: [stored('a', equal), stored('b', equal)],
  input: [declared('x', 'float32', [3])],
  output: ['y', 'z', 'n'].map((name) => declared(name, 'float32')),
})

const line = (): Graph => readOnnx(LINE, { file: 'line.onnx' })
const run = async (graph: Graph, feeds: Record<string, Tensor>) => runFile(writeOnnx(graph).bytes, feeds)
const numbers = (tensor: Tensor | undefined) => [...(tensor?.data ?? [])]

function refusal(call: () => unknown): HalfstepError {
  try {
    call()
  } catch (error) {
    if (error instanceof HalfstepError) return error
    throw error
  }
  throw new Error('the call was expected to be refused')
}

describe('a gradient model', () => {
  it('takes the upstream gradient and gives those of inputs and weights', async () => {
    const graph = gradientModel(line(), { output: 'y', wrt: ['x', 'a'] })
    const results = await run(graph, { x, 'upstream.y': float32([3], [1, 10, 100]) })
    expect(numbers(results['gradient.x'])).toEqual([2, 20, 200])
    expect(numbers(results['gradient.a'])).toEqual([0.5, -10, 200])
  })

  it('tells weights apart that hold the same numbers', async () => {
    const graph = gradientModel(line(), { output: 'y', wrt: ['b'] })
    const results = await run(graph, { x, 'upstream.y': float32([3], [1, 10, 100]) })
    expect(numbers(results['gradient.b'])).toEqual([1, 10, 100])
  })

  it('needs no upstream gradient for a single number', async () => {
    const graph = gradientModel(line(), { output: 'z', wrt: ['x', 'x'] })
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x'])
    expect(numbers((await run(graph, { x }))['gradient.x'])).toEqual([2, 2, 2])
  })

  it('keeps the outputs it had', () => {
    const graph = gradientModel(line(), { output: 'z', wrt: ['x'] })
    expect([...graph.outputs.keys()]).toEqual(['y', 'z', 'n', 'gradient.x'])
  })

  it('is refused for names the model has not, which are listed', () => {
    expect(refusal(() => gradientModel(line(), { output: 'w', wrt: ['x'] }))).toMatchObject({ code: 'usage', nextStep: 'It has y, z, n.' })
    expect(refusal(() => gradientModel(line(), { output: 'y', wrt: ['w'] }))).toMatchObject({ code: 'usage', nextStep: 'It has x, a, b.' })
  })

  it('is refused for an output of integers', () => {
    expect(refusal(() => gradientModel(line(), { output: 'n', wrt: ['x'] })).code).toBe('graph.not-differentiable')
  })

  it('is refused when a name it needs is taken', () => {
    for (const taken of ['upstream.y', 'gradient.x']) {
      const graph = new Graph()
      const from = graph.input('x', 'float32', [3])
      graph.output('y', ops.mul(graph.scope, from, graph.input(taken, 'float32', [3])))
      expect(refusal(() => gradientModel(graph, { output: 'y', wrt: ['x'] }))).toMatchObject({
        code: 'usage',
        message: expect.stringContaining(taken) as string,
      })
    }
  })

  it('is refused with the list of what has no gradient', () => {
    const branch = (operator: string) => ({
      graph: buildGraph({ node: [node(operator, ['x'], [`${operator}_y`])], output: [declared(`${operator}_y`, 'float32')] }),
    })
    const bytes = buildModel({
      node: [node('If', ['c'], ['y'], { then_branch: branch('Sin'), else_branch: branch('Cos') })],
      input: [declared('x', 'float32', [3]), declared('c', 'bool', [])],
      output: [declared('y', 'float32')],
    })
    const error = refusal(() => gradientModel(readOnnx(bytes, { file: 'if.onnx' }), { output: 'y', wrt: ['x'] }))
    expect(error.code).toBe('graph.not-differentiable')
    expect(error.message).toContain('If at If_node')
  })
})
