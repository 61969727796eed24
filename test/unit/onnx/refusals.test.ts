import { describe, expect, it } from 'vitest'
import { HalfstepError, type ErrorCode } from '../../../main/engine/errors.ts'
import { readOnnx, type ReadOptions } from '../../../main/engine/graph/onnx/read.ts'
import type { OnnxGraph, OnnxModel, OnnxNode } from '../../../main/engine/graph/onnx/schema.ts'
import { float32 } from '../../../main/engine/tensor/tensor.ts'
import { buildGraph, buildModel, declared, node, stored } from './build-model.ts'

const relu = node('Relu', ['x'], ['y'])
const x = declared('x', 'float32', [2, 3])
const y = declared('y', 'float32', [2, 3])
const pair = float32([2], [1, 2])

function refusal(bytes: Uint8Array, options: Partial<ReadOptions> = {}): HalfstepError {
  try {
    readOnnx(bytes, { file: 'model.onnx', ...options })
  } catch (error) {
    if (error instanceof HalfstepError) return error
    throw error
  }
  throw new Error('the model was expected to be refused')
}

function expectRefusal(graph: Partial<OnnxGraph>, code: ErrorCode, ...named: string[]): void {
  const error = refusal(buildModel({ input: [x], output: [y], ...graph }))
  expect(error.code).toBe(code)
  for (const text of ['model.onnx', ...named]) expect(error.message).toContain(text)
}

const nodes = (...list: OnnxNode[]): Partial<OnnxGraph> => ({ node: list })

describe('a damaged file is refused', () => {
  const whole = buildModel({ node: [relu], input: [x], output: [y], initializer: [stored('unused', pair)] })

  it('wherever it is cut off', () => {
    expect(() => readOnnx(whole, { file: 'model.onnx' })).not.toThrow()
    for (let length = 0; length < whole.length; length++) expect(refusal(whole.slice(0, length)).code).toBe('onnx.malformed')
  })

  it('when it is something else', () => {
    expect(refusal(new TextEncoder().encode('version https://git-lfs.github.com/spec/v1')).code).toBe('onnx.malformed')
  })

  it('when its messages are nested without end', () => {
    // A graph in an attribute of a node in a graph, 500 times: by hand, since the encoder refuses it as well.
    let bytes: Uint8Array = new Uint8Array()
    for (let depth = 0; depth < 500; depth++) bytes = wrap(1, wrap(5, wrap(6, bytes)))
    bytes = wrap(7, bytes)
    expect(refusal(bytes).code).toBe('onnx.malformed')
  })
})

describe('a graph that makes no sense is refused', () => {
  it('when its nodes form a cycle', () => {
    expectRefusal(
      nodes(node('Add', ['x', 'b'], ['a']), node('Relu', ['a'], ['b']), node('Relu', ['b'], ['y'])),
      'onnx.malformed',
      'cycle',
      '_node',
    )
    expectRefusal(nodes(node('Add', ['x', 'y'], ['y'])), 'onnx.malformed', 'cycle', 'Add_node')
  })

  it('when nothing makes an operand', () => {
    expectRefusal(nodes(node('Add', ['x', 'ghost'], ['y'])), 'onnx.malformed', 'Add_node', 'ghost')
  })

  it('when nothing makes an output', () => {
    expectRefusal(nodes(), 'onnx.malformed', 'output', 'y')
  })

  it('when a value is made twice', () => {
    expectRefusal(nodes(relu, node('Neg', ['x'], ['y'])), 'onnx.malformed', 'y of Neg_node', 'twice')
    expectRefusal(nodes(relu, node('Neg', ['y'], ['x'])), 'onnx.malformed', 'x of Neg_node', 'twice')
  })

  it('when an input, a tensor or an output is declared twice', () => {
    expectRefusal({ node: [relu], input: [x, x] }, 'onnx.malformed', 'input x')
    expectRefusal({ node: [relu], initializer: [stored('w', pair), stored('w', pair)] }, 'onnx.malformed', 'tensor w')
    expectRefusal({ node: [relu], output: [y, y] }, 'onnx.malformed', 'two outputs')
  })

  it('when it has no outputs', () => {
    expectRefusal({ node: [relu], output: [] }, 'onnx.malformed', 'no outputs')
  })

  it('when a node lacks an operand', () => {
    expectRefusal(nodes(node('Add', ['x'], ['y'])), 'onnx.malformed', 'Add_node', 'operand 2')
  })

  it('when operands do not fit together', () => {
    expectRefusal({ node: [node('Add', ['x', 'w'], ['y'])], initializer: [stored('w', pair)] }, 'onnx.malformed', 'Add_node', '2×3')
  })

  it.each<[string, Parameters<typeof node>[0], Record<string, number | readonly number[] | string>]>([
    ['an axis its operand has not', 'Softmax', { axis: 2 }],
    ['an axis named twice', 'ReduceSum', { axes: [1, -1] }],
    ['a permutation with an unknown axis', 'Transpose', { perm: [0, 5] }],
    ['a permutation that repeats', 'Transpose', { perm: [1, 1] }],
    ['pads for other axes', 'Pad', { pads: [1, 1] }],
    ['a stride of zero', 'MaxPool', { kernel_shape: [1], strides: [0] }],
    ['a kernel that is too large', 'AveragePool', { kernel_shape: [9] }],
    ['an axis of size 2 that is dropped', 'Squeeze', { axes: [0] }],
    ['more groups than channels', 'DepthToSpace', { blocksize: 2 }],
  ])('for %s', (_, operator, attributes) => {
    const bytes = buildModel(
      {
        node: [node(operator, ['x'], ['y'], attributes)],
        input: [declared('x', 'float32', operator.endsWith('Pool') ? [1, 2, 3] : [2, 3])],
        output: [y],
      },
      { opsetImport: [{ domain: '', version: operator === 'Pad' ? 10 : 12 }] },
    )
    const error = refusal(bytes)
    expect(error.code).toBe('onnx.malformed')
    expect(error.message).toContain(`${operator}_node`)
  })
})

describe('a tensor that makes no sense is refused', () => {
  const tensor = stored('w', pair)
  const using = (changed: Partial<typeof tensor>): Partial<OnnxGraph> => ({ node: [relu], initializer: [{ ...tensor, ...changed }] })

  it.each([
    ['too little data', { rawData: new Uint8Array(7) }],
    ['too much data', { rawData: new Uint8Array(12) }],
    ['no data at all', { rawData: new Uint8Array(0) }],
    ['a negative size', { dims: [-2] }],
    ['a shape beyond any memory', { dims: [2 ** 31, 2 ** 31] }],
  ])('%s', (_, changed) => expectRefusal(using(changed), 'onnx.malformed', 'tensor w'))

  it('typed fields that do not fill the shape', () => {
    const { rawData, ...rest } = tensor
    expect(rawData).toBeDefined()
    expectRefusal({ node: [relu], initializer: [{ ...rest, floatData: [1, 2, 3] }] }, 'onnx.malformed', 'tensor w')
  })

  it('an element type that is not read', () => {
    expectRefusal(using({ dataType: 8 }), 'weights.wrong-type', 'tensor w', 'element type 8')
    expectRefusal(
      { node: [relu], input: [{ name: 'x', type: { tensorType: { elemType: 17, shape: { dim: [] } } } }] },
      'weights.wrong-type',
      'input x',
    )
  })

  it('one that lies in another file, when only the model was given', () => {
    expectRefusal(
      using({ dataLocation: 1, externalData: [{ key: 'location', value: 'w.bin' }] }),
      'onnx.malformed',
      'tensor w',
      'another file',
    )
  })

  it('an input of a size beyond any memory', () => {
    expectRefusal({ node: [relu], input: [declared('x', 'float32', [2 ** 40])] }, 'onnx.malformed', 'input x')
  })
})

describe('operators that are missing', () => {
  it('are all listed, with how often they are used, those of branches and functions included', () => {
    const branch = buildGraph({ node: [node('LSTM', ['x'], ['inner'])], output: [declared('inner', 'float32')] })
    const graph = nodes(
      node('LSTM', ['x'], ['a']),
      node('constructor', ['a'], ['b']),
      node('Twist', ['b'], ['c'], {}, 'org.example'),
      node('Block', ['c'], ['d'], {}, 'local'),
      node('If', ['d'], ['y'], { then_branch: { graph: branch }, else_branch: { graph: branch } }),
    )
    const rest: Partial<OnnxModel> = {
      opsetImport: [
        { domain: 'ai.onnx', version: 17 },
        { domain: 'org.example', version: 3 },
      ],
      functions: [{ name: 'Block', domain: 'local' }],
    }
    const error = refusal(buildModel({ input: [x], output: [y], ...graph }, rest))
    expect(error.code).toBe('onnx.unsupported-operator')
    expect(error.details.operators).toEqual([
      'LSTM (ai.onnx 17) ×3',
      'constructor (ai.onnx 17) ×1',
      'Twist (org.example 3) ×1',
      'Block (a function of the model) ×1',
    ])
    for (const operator of error.details.operators as string[]) expect(error.message).toContain(operator)
  })

  it('do not matter where no output needs them', () => {
    const graph = { node: [relu, node('LSTM', ['x'], ['z'])], input: [x], output: [y, declared('z', 'float32')] }
    expect(refusal(buildModel(graph)).code).toBe('onnx.unsupported-operator')
    expect([...readOnnx(buildModel(graph), { file: 'model.onnx', outputs: ['y'] }).outputs.keys()]).toEqual(['y'])
    expect([...readOnnx(buildModel({ ...graph, output: [y] }), { file: 'model.onnx' }).outputs.keys()]).toEqual(['y'])
  })

  it('name the variant where only that is missing', () => {
    expectRefusal(
      nodes(node('ArgMax', ['x'], ['y'], { select_last_index: 1 })),
      'onnx.unsupported-operator',
      'ArgMax_node',
      'select_last_index',
    )
  })

  it('name windows whose gradient would take too much memory', () => {
    for (const operator of ['MaxPool', 'AveragePool']) {
      const pool = node(operator, ['x'], ['y'], { kernel_shape: [40, 40] })
      expectRefusal(
        { node: [pool], input: [declared('x', 'float32', [1, 1, 64, 64])] },
        'onnx.unsupported-operator',
        operator,
        '1600 elements',
      )
    }
  })

  it('are refused with their operator set when that is too old, too new or missing', () => {
    const model = (version: number) => buildModel({ node: [relu], input: [x], output: [y] }, { opsetImport: [{ domain: '', version }] })
    for (const version of [6, 99])
      expect(refusal(model(version))).toMatchObject({
        code: 'onnx.unsupported-operator',
        message: expect.stringContaining(String(version)) as string,
      })
    for (const version of [7, 13, 23]) expect(() => readOnnx(model(version), { file: 'model.onnx' })).not.toThrow()
    expect(refusal(buildModel({ node: [relu], input: [x], output: [y] }, { opsetImport: [] })).code).toBe('onnx.malformed')
  })

  it('leave a size that is only known while the model runs to be refused by name', () => {
    const graph = { node: [node('Reshape', ['x', 'sizes'], ['y'])], input: [x, declared('sizes', 'int64', [2])] }
    expectRefusal(graph, 'onnx.unsupported-operator', 'Reshape_node', 'only known while the model runs')
  })
})

describe('open sizes', () => {
  const open = (...shape: (number | string)[]) => buildModel({ node: [relu], input: [declared('x', 'float32', shape)], output: [y] })
  const shapeOf = (bytes: Uint8Array, dimensions: Record<string, number> = {}) =>
    readOnnx(bytes, { file: 'model.onnx', dimensions }).outputs.get('y')?.shape

  it('are given by name or by place', () => {
    expect(shapeOf(open('batch', 'width'), { batch: 2, width: 5 })).toEqual([2, 5])
    expect(shapeOf(open('s0', ''), { 'x:0': 2, 'x:1': 5, s0: 3 })).toEqual([2, 5])
  })

  it('are 1 for a leading batch that was not given', () => {
    for (const name of ['batch', 'N', 'batch_size', '']) expect(shapeOf(open(name, 3))).toEqual([1, 3])
  })

  it('are refused when they are missing, naming input, axis, name and option', () => {
    const error = refusal(open(1, 'width'))
    expect(error.code).toBe('usage')
    expect(error.message).toContain('axis 1 (width) of its input x')
    expect(error.nextStep).toContain('--dimension width=')
    expect(refusal(open(1, '')).nextStep).toContain('--dimension x:1=')
    expect(refusal(open('tokens', 3)).code).toBe('usage')
    expect(refusal(open(1, 'constructor')).code).toBe('usage')
  })

  it('are refused when they are no size', () => {
    for (const size of [0, -1, 1.5, NaN]) expect(refusal(open(1, 'width'), { dimensions: { width: size } }).code).toBe('usage')
  })
})

describe('what is wanted', () => {
  it('may be a value inside of the model', () => {
    const bytes = buildModel({ node: [node('Neg', ['x'], ['inner']), node('Relu', ['inner'], ['y'])], input: [x], output: [y] })
    const graph = readOnnx(bytes, { file: 'model.onnx', outputs: ['inner'] })
    expect([...graph.outputs.keys()]).toEqual(['inner'])
  })

  it('is refused when the model does not have it', () => {
    const error = refusal(buildModel({ node: [relu], input: [x], output: [y] }), { outputs: ['z'] })
    expect(error).toMatchObject({ code: 'usage', nextStep: 'Choose one of y.' })
  })

  it('is found whatever the order of the nodes', () => {
    const bytes = buildModel({ node: [node('Relu', ['inner'], ['y']), node('Neg', ['x'], ['inner'])], input: [x], output: [y] })
    expect(readOnnx(bytes, { file: 'model.onnx' }).outputs.has('y')).toBe(true)
  })

  it('may lie behind more nodes than the stack is deep', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => node('Relu', [i === 0 ? 'x' : `v${i}`], [i === 19_999 ? 'y' : `v${i + 1}`]))
    expect(readOnnx(buildModel({ node: chain, input: [x], output: [y] }), { file: 'model.onnx' }).outputs.has('y')).toBe(true)
  })
})

/** A field of a protobuf message that holds other bytes. */
function wrap(field: number, bytes: Uint8Array): Uint8Array {
  const length: number[] = []
  for (let rest = bytes.length; ; rest >>= 7) {
    length.push((rest & 127) | (rest > 127 ? 128 : 0))
    if (rest <= 127) break
  }
  return Uint8Array.from([(field << 3) | 2, ...length, ...bytes])
}
