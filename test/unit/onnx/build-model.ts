import { onnxTypeOf } from '../../../main/engine/graph/onnx/data-types.ts'
import {
  ATTRIBUTE_TYPE,
  ModelMessage,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from '../../../main/engine/graph/onnx/schema.ts'
import type { DType } from '../../../main/engine/tensor/dtype.ts'
import { toBytes, type Tensor } from '../../../main/engine/tensor/tensor.ts'

type AttributeValue =
  | number
  | string
  | readonly number[]
  | { readonly floats: readonly number[] }
  | { readonly float: number }
  | { readonly tensor: Tensor }
  | { readonly graph: OnnxGraph }

/** An ONNX model as bytes, from as much of the message as a test cares about. */
export function buildModel(graph: Partial<OnnxGraph>, rest: Partial<OnnxModel> = {}): Uint8Array {
  const model: OnnxModel = { irVersion: 8, opsetImport: [{ domain: '', version: 18 }], graph: buildGraph(graph), ...rest }
  return ModelMessage.encode(ModelMessage.fromObject(model)).finish()
}

export function buildGraph(graph: Partial<OnnxGraph>): OnnxGraph {
  return { name: 'test', node: [], initializer: [], input: [], output: [], ...graph }
}

export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  domain = '',
): OnnxNode {
  return {
    name: `${opType}_node`,
    opType,
    domain,
    input,
    output,
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  }
}

export function stored(name: string, tensor: Tensor): OnnxTensor {
  return { name, dims: tensor.shape, dataType: onnxTypeOf(tensor.dtype), rawData: toBytes(tensor) }
}

/** A declared value; a size that is a text is open. Without a shape only the type is declared. */
export function declared(name: string, dtype: DType, shape?: readonly (number | string)[]): OnnxValueInfo {
  const dim = shape?.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }))
  return { name, type: { tensorType: { elemType: onnxTypeOf(dtype), ...(dim === undefined ? {} : { shape: { dim } }) } } }
}

/** Whole numbers are ints; `{ float }` and `{ floats }` say otherwise. */
function attribute(name: string, value: AttributeValue): OnnxAttribute {
  if (typeof value === 'number') return { name, type: ATTRIBUTE_TYPE.int, i: value }
  if (typeof value === 'string') return { name, type: ATTRIBUTE_TYPE.string, s: new TextEncoder().encode(value) }
  if ('float' in value) return { name, type: ATTRIBUTE_TYPE.float, f: value.float }
  if ('floats' in value) return { name, type: ATTRIBUTE_TYPE.floats, floats: value.floats }
  if ('tensor' in value) return { name, type: ATTRIBUTE_TYPE.tensor, t: stored('', value.tensor) }
  if ('graph' in value) return { name, type: ATTRIBUTE_TYPE.graph, g: value.graph }
  return { name, type: ATTRIBUTE_TYPE.ints, ints: value }
}
