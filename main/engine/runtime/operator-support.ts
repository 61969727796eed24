/**
 * Which of our operators each of ONNX Runtime's providers computes itself. What it does not, the runtime computes on the CPU,
 * with a copy there and back: correct, but slow in the middle of a network.
 *
 * Sources: docs/OperatorKernels.md (CPU, CUDA, DirectML); core/providers/webgpu/webgpu_execution_provider.cc, checked node by
 * node against the 1.30.0 binary in the tests; tools/ci_build/github/apple/coreml_supported_mlprogram_ops.md and the builders
 * named in the 1.30.0 library for macOS.
 */
import { type Graph, type Node, nodesFor, type Value } from '../graph/graph.ts'
import type { Operator } from '../graph/operators.ts'
import type { Device } from '../protocol.ts'

/** Opset versions of the kernel that serves our models, as ONNX Runtime writes them: `13+`, `11-21`, `18`. */
type OpsetRange = `${number}+` | `${number}-${number}` | `${number}`

/** There is no kernel: the CPU computes it. */
export const FALLS_BACK = 'falls back to the CPU'

/** Core ML has a builder in its ML Program format, which follows the operator's newest form. */
const PROGRAM = '1+'
const NONE = FALLS_BACK

export type Support = OpsetRange | typeof FALLS_BACK

/** One row per operator, one column per provider. An operator without a row does not compile. */
export const OPERATOR_SUPPORT: { readonly [O in Operator]: Readonly<Record<Device, Support>> } = {
  Abs: { cuda: '13+', dml: '13+', coreml: NONE, webgpu: '13+', cpu: '13+' },
  Neg: { cuda: '13+', dml: '13+', coreml: NONE, webgpu: '13+', cpu: '13+' },
  Exp: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Log: { cuda: '13+', dml: '13+', coreml: NONE, webgpu: '13+', cpu: '13+' },
  Sqrt: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Reciprocal: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Sigmoid: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Tanh: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Erf: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Relu: { cuda: '14+', dml: '14+', coreml: PROGRAM, webgpu: '14+', cpu: '14+' },
  Sin: { cuda: '7+', dml: '7+', coreml: PROGRAM, webgpu: '7+', cpu: '7-21' },
  Cos: { cuda: '7+', dml: '7+', coreml: PROGRAM, webgpu: '7+', cpu: '7-21' },
  Floor: { cuda: '13+', dml: '13+', coreml: NONE, webgpu: '13+', cpu: '13+' },
  Ceil: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Round: { cuda: '11+', dml: '11+', coreml: PROGRAM, webgpu: NONE, cpu: '11-21' },
  Sign: { cuda: '13+', dml: '13+', coreml: NONE, webgpu: NONE, cpu: '13+' },
  Not: { cuda: '1+', dml: '1+', coreml: NONE, webgpu: '1+', cpu: '1+' },
  Softplus: { cuda: '1+', dml: '1+', coreml: PROGRAM, webgpu: '1+', cpu: '1-21' },
  LeakyRelu: { cuda: '16+', dml: '16+', coreml: PROGRAM, webgpu: '16+', cpu: '16+' },
  Elu: { cuda: '6+', dml: '6+', coreml: PROGRAM, webgpu: '6+', cpu: '6-21' },
  Clip: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Cast: { cuda: '13-18', dml: '13+', coreml: PROGRAM, webgpu: '13-18', cpu: '13-18' },
  Add: { cuda: '14+', dml: '14+', coreml: PROGRAM, webgpu: '14+', cpu: '14+' },
  Sub: { cuda: '14+', dml: '14+', coreml: PROGRAM, webgpu: '14+', cpu: '14+' },
  Mul: { cuda: '14+', dml: '14+', coreml: PROGRAM, webgpu: '14+', cpu: '14+' },
  Div: { cuda: '14+', dml: '14+', coreml: PROGRAM, webgpu: '14+', cpu: '14+' },
  Pow: { cuda: '15+', dml: '15+', coreml: PROGRAM, webgpu: '15+', cpu: '15+' },
  Max: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Min: { cuda: '13+', dml: '13+', coreml: NONE, webgpu: '13+', cpu: '13+' },
  Equal: { cuda: '13+', dml: '13+', coreml: NONE, webgpu: '13-18', cpu: '13-18' },
  Greater: { cuda: '13+', dml: '13+', coreml: NONE, webgpu: '13+', cpu: '13+' },
  GreaterOrEqual: { cuda: '16+', dml: '16+', coreml: NONE, webgpu: '16+', cpu: '16+' },
  Less: { cuda: '13+', dml: '13+', coreml: NONE, webgpu: '13+', cpu: '13+' },
  LessOrEqual: { cuda: '16+', dml: '16+', coreml: NONE, webgpu: '16+', cpu: '16+' },
  And: { cuda: '7+', dml: '7+', coreml: PROGRAM, webgpu: '7+', cpu: '7+' },
  Or: { cuda: '7+', dml: '7+', coreml: NONE, webgpu: NONE, cpu: '7+' },
  Where: { cuda: '16+', dml: '16+', coreml: PROGRAM, webgpu: '16+', cpu: '16+' },
  MatMul: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Gemm: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Conv: { cuda: '11-21', dml: '11+', coreml: PROGRAM, webgpu: '11-21', cpu: '11-21' },
  ConvTranspose: { cuda: '11+', dml: '11+', coreml: PROGRAM, webgpu: '11+', cpu: '11-21' },
  MaxPool: { cuda: '12+', dml: '12+', coreml: PROGRAM, webgpu: '12+', cpu: '12-21' },
  AveragePool: { cuda: '11-18', dml: '11+', coreml: PROGRAM, webgpu: '11+', cpu: '11-18' },
  Resize: { cuda: '18+', dml: '18+', coreml: PROGRAM, webgpu: '18', cpu: '18' },
  LayerNormalization: { cuda: '17+', dml: '17+', coreml: PROGRAM, webgpu: '17+', cpu: '17+' },
  InstanceNormalization: { cuda: '6+', dml: '6+', coreml: PROGRAM, webgpu: '6-21', cpu: '6-21' },
  Softmax: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  LogSoftmax: { cuda: '13+', dml: '13+', coreml: NONE, webgpu: NONE, cpu: '13+' },
  ReduceSum: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  ReduceMean: { cuda: '18+', dml: '18+', coreml: PROGRAM, webgpu: '18+', cpu: '18+' },
  ReduceMax: { cuda: '18+', dml: '18+', coreml: PROGRAM, webgpu: '18-19', cpu: '18-19' },
  ReduceMin: { cuda: '18+', dml: '18+', coreml: PROGRAM, webgpu: '18-19', cpu: '18-19' },
  ArgMax: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Reshape: { cuda: '14-18', dml: '14+', coreml: PROGRAM, webgpu: '14-18', cpu: '14-18' },
  Transpose: { cuda: '13-20', dml: '13+', coreml: PROGRAM, webgpu: '13-20', cpu: '13-20' },
  Expand: { cuda: '13+', dml: '13+', coreml: NONE, webgpu: '13+', cpu: '13+' },
  Tile: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Concat: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Slice: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  Pad: { cuda: '18+', dml: '18+', coreml: PROGRAM, webgpu: '18', cpu: '18' },
  Gather: { cuda: '13+', dml: '13+', coreml: PROGRAM, webgpu: '13+', cpu: '13+' },
  If: { cuda: '13-18', dml: '16+', coreml: NONE, webgpu: '13-18', cpu: '16-18' },
}

/** A form of an operator that a provider with a kernel for it cannot compute. */
interface Restriction {
  readonly applies: (node: Node) => boolean
  readonly note: string
  /** The provider takes it all the same and gives wrong numbers; otherwise the CPU computes it. */
  readonly wrong?: boolean
}

const RESTRICTIONS: { readonly [D in Device]?: { readonly [O in Operator]?: Restriction } } = {
  coreml: {
    Conv: { applies: ({ inputs }) => dimensions(inputs[0]) > 4, note: 'only one and two spatial axes' },
    ConvTranspose: { applies: ({ inputs }) => !isFixed(inputs[1]), note: 'its weight must be fixed' },
    Gemm: { applies: ({ inputs }) => !isFixed(inputs[1]), note: 'its second operand must be fixed' },
    MaxPool: { applies: ({ inputs }) => dimensions(inputs[0]) !== 4, note: 'only two spatial axes' },
    AveragePool: { applies: ({ inputs }) => dimensions(inputs[0]) !== 4, note: 'only two spatial axes' },
    Pad: { applies: (node) => !padsLastTwoByConstant(node), note: 'only by a constant, at the last two axes' },
    Gather: { applies: ({ inputs }) => dimensions(inputs[1]) === 0, note: 'not by a single index' },
    Tile: { applies: ({ inputs }) => dimensions(inputs[0]) > 5, note: 'at most five axes' },
  },
  webgpu: {
    // The products of 6, 9, 15, 18 or 33 channels were wrong by 100 % in the 1.30.0 binary (onnxruntime issue 29651).
    Conv: { applies: isMiscomputedConv, note: 'wrong numbers for a number of input channels that 3 divides and 4 does not', wrong: true },
  },
}

/** A group of nodes that a device does not compute, or not correctly. */
export interface Unsupported {
  readonly operator: Operator
  readonly nodes: readonly string[]
  readonly note: string
  /** Whether the result would be wrong; otherwise it is only slower, because the CPU computes these nodes. */
  readonly wrong: boolean
}

/** What of a graph a device does not compute itself; empty when it computes everything. Branches of `If` are included. */
export function unsupportedOperators(graph: Graph, device: Device): Unsupported[] {
  const groups = new Map<string, Unsupported & { readonly nodes: string[] }>()
  for (const node of nodesFor(graph.outputs.values())) {
    const problem = problemOf(node, device)
    if (problem === undefined) continue
    const key = `${node.operator}: ${problem.note}`
    const group = groups.get(key) ?? { operator: node.operator, nodes: [], ...problem }
    group.nodes.push(node.name)
    groups.set(key, group)
  }
  return [...groups.values()]
}

/** Whether a kernel's opset range holds this version. */
export function servesOpset(support: Support, opset: number): boolean {
  const [, from, plus, to] = /^(\d+)(\+?)(?:-(\d+))?$/.exec(support) ?? []
  if (from === undefined) return false
  return opset >= Number(from) && (plus === '+' || opset <= Number(to ?? from))
}

function problemOf(node: Node, device: Device): { readonly note: string; readonly wrong: boolean } | undefined {
  if (OPERATOR_SUPPORT[node.operator][device] === FALLS_BACK) return { note: FALLS_BACK, wrong: false }
  const restriction = RESTRICTIONS[device]?.[node.operator]
  return restriction?.applies(node) === true ? { note: restriction.note, wrong: restriction.wrong ?? false } : undefined
}

const dimensions = (value: Value | undefined): number => value?.shape.length ?? 0
const isFixed = (value: Value | undefined): boolean => value?.source.kind === 'weight' || value?.source.kind === 'constant'

/** A convolution that WebGPU gets wrong. Kernels of 1×1 go another way, as do groups, and output channels that 4 does not divide. */
export function isMiscomputedConv(node: Node): node is Extract<Node, { operator: 'Conv' }> {
  if (node.operator !== 'Conv' || node.attributes.group !== 1) return false
  const [outputs = 0, channels = 0, ...kernel] = node.inputs[1]?.shape ?? []
  return channels > 3 && channels % 3 === 0 && channels % 4 !== 0 && outputs % 4 === 0 && kernel.some((size) => size > 1)
}

function padsLastTwoByConstant(node: Node): boolean {
  if (node.operator !== 'Pad') return false
  const { mode, pads } = node.attributes
  const rank = pads.length / 2
  return mode === 'constant' && pads.every((size, i) => size === 0 || (size > 0 && i % rank >= rank - 2))
}
