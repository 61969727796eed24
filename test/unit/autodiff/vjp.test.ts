import { describe, expect, it } from 'vitest'
import { undifferentiable, vjp, type VjpOptions } from '../../../main/engine/autodiff/vjp.ts'
import { Graph, nodesFor, type Scope, type Value } from '../../../main/engine/graph/graph.ts'
import { add, argMax, branch, cast, fill, gather, linear, mul, sigmoid, softmax, sum, tanh } from '../../../main/engine/graph/ops/index.ts'
import { Session } from '../../../main/engine/runtime/session.ts'
import { toFloat32, type Tensor } from '../../../main/engine/tensor/tensor.ts'
import { HalfstepError } from '../../../main/engine/errors.ts'
import { spread } from './jacobian.ts'

const x0 = spread([3, 4])
const w0 = spread([4, 4], -1, 1, 2)
const u0 = spread([3, 4], -1, 1, 3)
const yes: Tensor = { dtype: 'bool', shape: [], data: Uint8Array.of(1) }
const no: Tensor = { dtype: 'bool', shape: [], data: Uint8Array.of(0) }

/** Two segments with a skip between them, the second with a nested one, a weight used by all, and loose nodes around. */
function network(g: Scope, x: Value, w: Value): Value {
  const start = mul(g, x, sigmoid(g, x))
  const first = g.segment('first')
  const a = tanh(first, linear(first, start, w))
  const second = g.segment('second')
  const scores = add(second, linear(second, tanh(second, a), w), start)
  const nested = second.segment('nested')
  const weights = softmax(nested, mul(nested, scores, a))
  const b = add(second, mul(second, weights, scores), a)
  return mul(g, b, b)
}

async function gradients(
  options: 'plain' | Omit<VjpOptions, 'gate'>,
): Promise<{ graph: Graph; run: (train: Tensor) => Promise<Record<string, Tensor>> }> {
  const graph = new Graph()
  const x = graph.input('x', 'float32', x0.shape)
  const w = graph.input('w', 'float32', w0.shape)
  const u = graph.input('u', 'float32', u0.shape)
  const y = network(graph.scope, x, w)
  const gate = options === 'plain' ? undefined : graph.input('train', 'bool', [])
  const [dx, dw] = vjp(graph, [[y, u]], [x, w], gate === undefined ? {} : { gate, ...(options as VjpOptions) })
  graph.output('y', y)
  if (dx !== undefined && dw !== undefined) {
    graph.output('dx', dx)
    graph.output('dw', dw)
  }
  const session = await Session.create(graph, { device: 'cpu' })
  const feeds = { x: x0, w: w0, u: u0 }
  return { graph, run: (train) => session.run(gate === undefined ? feeds : { ...feeds, train }, train === yes ? ['y', 'dx', 'dw'] : ['y']) }
}

function distance(a: Tensor | undefined, b: Tensor | undefined): number {
  if (a === undefined || b === undefined) return NaN
  const right = toFloat32(b).data
  return Math.max(...toFloat32(a).data.map((value, i) => Math.abs(value - (right[i] ?? NaN))))
}

describe('vjp', () => {
  it.each([
    ['recomputing every segment', {}],
    ['keeping every segment', { recompute: () => false }],
    ['recomputing the outer and keeping the nested', { recompute: (segment: { path: string }) => segment.path !== 'second.nested' }],
  ])('gives the same gradients behind a gate, %s', async (_, options) => {
    const plain = await (await gradients('plain')).run(yes)
    const gated = await (await gradients(options)).run(yes)
    expect(distance(gated.y, plain.y)).toBeLessThan(1e-6)
    expect(distance(gated.dx, plain.dx)).toBeLessThan(1e-5)
    expect(distance(gated.dw, plain.dw)).toBeLessThan(1e-5)
  })

  it('computes the outputs without the gradient when the gate is shut', async () => {
    const plain = await (await gradients('plain')).run(yes)
    const shut = await (await gradients({})).run(no)
    expect(distance(shut.y, plain.y)).toBeLessThan(1e-6)
  })

  it('puts every node of the gradient into a branch when there is a gate', async () => {
    const { graph } = await gradients({})
    const main = nodesFor(graph.outputs.values(), graph.main).filter((node) => node.operator !== 'If')
    const forward = nodesFor([...graph.outputs].filter(([name]) => name === 'y').map(([, value]) => value))
    expect(main.map((node) => node.name)).toEqual(forward.map((node) => node.name))
  })

  it('builds nothing for values that were not asked for', () => {
    const graph = new Graph()
    const x = graph.input('x', 'float32', [2, 2])
    const w = graph.input('w', 'float32', [2, 2])
    const u = graph.input('u', 'float32', [2, 2])
    const y = linear(graph.scope, x, w)
    const [dx] = vjp(graph, [[y, u]], [x])
    const operators = nodesFor(dx === undefined ? [] : [dx]).map((node) => node.operator)
    expect(operators).toEqual(['Gemm'])
  })

  it('gives zeros where nothing depends on the value', () => {
    const graph = new Graph()
    const x = graph.input('x', 'float32', [2])
    const idle = graph.input('idle', 'float32', [3])
    const [gradient] = vjp(graph, [[sum(graph.scope, x), graph.input('u', 'float32', [])]], [idle])
    expect(gradient?.source).toMatchObject({ kind: 'constant', tensor: { shape: [3] } })
  })

  it('lets nothing flow through operators without a gradient', () => {
    const graph = new Graph()
    const { scope } = graph
    const x = graph.input('x', 'float32', [2, 3])
    const table = graph.input('table', 'float32', [3, 2])
    const y = gather(scope, table, argMax(scope, x, 1))
    const [dx, dTable] = vjp(graph, [[y, graph.input('u', 'float32', [2, 2])]], [x, table])
    expect(dx?.source.kind).toBe('constant')
    expect(dTable?.source.kind).toBe('node')
  })

  it('names what cannot be differentiated', () => {
    const graph = new Graph()
    const { scope } = graph
    const x = graph.input('x', 'float32', [2])
    const then = scope.branch('then')
    then.region.results.push(mul(then, x, x))
    const otherwise = scope.branch('else')
    otherwise.region.results.push(x)
    const [y] = branch(scope, cast(scope, fill(scope, 'float32', [], 1), 'bool'), then.region, otherwise.region)
    if (y === undefined) throw new Error('If gave nothing')
    expect(undifferentiable([y], [x])).toHaveLength(1)
    expect(() => vjp(graph, [[y, x]], [x])).toThrow(HalfstepError)
  })
})
