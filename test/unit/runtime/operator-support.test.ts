import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Graph } from '../../../main/engine/graph/graph.ts'
import { WRITTEN_OPSET } from '../../../main/engine/graph/onnx/write.ts'
import { conv, constant, gemm, logSoftmax, pad, scale, branch } from '../../../main/engine/graph/ops/index.ts'
import { DEVICES, type Device } from '../../../main/engine/protocol.ts'
import { FALLS_BACK, OPERATOR_SUPPORT, servesOpset, unsupportedOperators } from '../../../main/engine/runtime/operator-support.ts'
import { OPERATORS, oneNodeGraph } from './one-node-graphs.ts'
import { hasSwiftShader, swiftShaderEnvironment } from './swiftshader.ts'

/** What the installed runtime itself says of each operator: `computed`, or why not. */
async function askRuntime(device: Device): Promise<Record<string, string>> {
  const program = fileURLToPath(new URL('./assignment-main.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [program, device], { env: { ...process.env, ...swiftShaderEnvironment } })
  return JSON.parse(stdout) as Record<string, string>
}

/** A Conv over x with `channels` channels, fixed weights of this kernel size and `outputs` channels. */
function convGraph(options: { channels: number; outputs: number; kernel?: number; group?: number }): Graph {
  const { channels, outputs, kernel = 3, group = 1 } = options
  const graph = new Graph()
  const g = graph.scope
  const shape = [outputs, channels / group, kernel, kernel]
  const weight = constant(g, 'float32', shape, new Array<number>(shape.reduce((a, b) => a * b)).fill(1))
  graph.output('y', conv(g, graph.input('x', 'float32', [1, channels, 8, 8]), weight, undefined, { group }))
  return graph
}

describe('the operator table', () => {
  test.each(DEVICES)('says for every operator that %s computes it at the opset we write, or that the CPU does', (device) => {
    for (const operator of OPERATORS) {
      const support = OPERATOR_SUPPORT[operator][device]
      expect(support === FALLS_BACK || servesOpset(support, WRITTEN_OPSET), `${operator} on ${device}: ${support}`).toBe(true)
    }
  })

  test('lets the CPU fall back on nothing', () => {
    expect(OPERATORS.filter((operator) => OPERATOR_SUPPORT[operator].cpu === FALLS_BACK)).toEqual([])
  })

  test('has a row for every operator that the one-node graphs build, and no other', () => {
    expect(Object.keys(OPERATOR_SUPPORT).toSorted()).toEqual([...OPERATORS].toSorted())
  })

  test('agrees with the installed runtime about the CPU', async () => {
    const outcomes = await askRuntime('cpu')
    expect(outcomes).toEqual(Object.fromEntries(OPERATORS.map((operator) => [operator, 'computed'])))
  })

  test.runIf(hasSwiftShader)('agrees with the installed runtime about WebGPU, node by node', async () => {
    const outcomes = await askRuntime('webgpu')
    const refused = OPERATORS.filter((operator) => /fallback to CPU EP has been explicitly disabled/.test(outcomes[operator] ?? ''))
    const computed = OPERATORS.filter((operator) => outcomes[operator] === 'computed')
    expect(refused).toEqual(OPERATORS.filter((operator) => OPERATOR_SUPPORT[operator].webgpu === FALLS_BACK))
    expect(computed).toEqual(OPERATORS.filter((operator) => OPERATOR_SUPPORT[operator].webgpu !== FALLS_BACK))
  })
})

describe('opset ranges', () => {
  test.each([
    ['13+', 13, true],
    ['13+', 12, false],
    ['13-18', 18, true],
    ['13-18', 19, false],
    ['18', 18, true],
    ['18', 19, false],
    [FALLS_BACK, 18, false],
  ] as const)('%s serves opset %i: %s', (support, opset, serves) => expect(servesOpset(support, opset)).toBe(serves))
})

describe('what a device cannot compute of a graph', () => {
  test('is nothing when it computes everything', () => {
    expect(unsupportedOperators(oneNodeGraph('MatMul'), 'webgpu')).toEqual([])
  })

  test('names the nodes, grouped by operator', () => {
    const graph = new Graph()
    const x = graph.input('x', 'float32', [2, 3])
    graph.output('y', logSoftmax(graph.scope, logSoftmax(graph.scope.at('head'), x)))
    expect(unsupportedOperators(graph, 'webgpu')).toEqual([
      { operator: 'LogSoftmax', nodes: ['head.LogSoftmax_0', 'LogSoftmax_1'], note: FALLS_BACK, wrong: false },
    ])
  })

  test('includes the branches of an If', () => {
    const graph = new Graph()
    const g = graph.scope
    const x = graph.input('x', 'float32', [2, 3])
    const then = g.branch('then')
    const otherwise = g.branch('else')
    then.region.results.push(logSoftmax(then, x))
    otherwise.region.results.push(scale(otherwise, x, 2))
    const [y] = branch(g, graph.input('condition', 'bool', [1]), then.region, otherwise.region)
    graph.output('y', y!)
    expect(unsupportedOperators(graph, 'webgpu').map(({ operator }) => operator)).toEqual(['LogSoftmax'])
  })

  test.each([6, 9, 15, 18, 33])('warns of wrong numbers from a WebGPU Conv over %i channels', (channels) => {
    expect(unsupportedOperators(convGraph({ channels, outputs: 8 }), 'webgpu')).toMatchObject([{ operator: 'Conv', wrong: true }])
    expect(unsupportedOperators(convGraph({ channels, outputs: 8 }), 'cpu')).toEqual([])
  })

  test.each([
    { channels: 3, outputs: 8 },
    { channels: 4, outputs: 8 },
    { channels: 5, outputs: 8 },
    { channels: 12, outputs: 8 },
    { channels: 6, outputs: 6 },
    { channels: 6, outputs: 8, kernel: 1 },
    { channels: 12, outputs: 8, group: 2 },
  ])('trusts a WebGPU Conv like $channels → $outputs channels (kernel $kernel, group $group)', (shape) => {
    expect(unsupportedOperators(convGraph(shape), 'webgpu')).toEqual([])
  })

  test('knows what Core ML wants fixed', () => {
    const graph = new Graph()
    graph.output('y', gemm(graph.scope, graph.input('a', 'float32', [2, 3]), graph.input('b', 'float32', [3, 4]), undefined))
    const note = 'its second operand must be fixed'
    expect(unsupportedOperators(graph, 'coreml')).toMatchObject([{ operator: 'Gemm', note, wrong: false }])
    expect(unsupportedOperators(oneNodeGraph('Gemm'), 'coreml')).toEqual([])
  })

  test('knows which paddings Core ML takes', () => {
    const padded = (pads: number[], mode: 'constant' | 'reflect') => {
      const graph = new Graph()
      graph.output('y', pad(graph.scope, graph.input('x', 'float32', [1, 2, 4, 4]), pads, mode))
      return unsupportedOperators(graph, 'coreml').length
    }
    expect(padded([0, 0, 1, 1, 0, 0, 1, 1], 'constant')).toBe(0)
    expect(padded([0, 1, 0, 0, 0, 0, 0, 0], 'constant')).toBe(1)
    expect(padded([0, 0, 1, 1, 0, 0, 1, 1], 'reflect')).toBe(1)
  })
})
