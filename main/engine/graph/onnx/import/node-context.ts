import { HalfstepError } from '../../../errors.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Scope, Value } from '../../graph.ts'
import { malformedOnnx } from '../malformed.ts'
import { nodeName } from '../order-nodes.ts'
import type { OnnxGraph, OnnxNode, OnnxTensor } from '../schema.ts'
import { Attributes } from './attributes.ts'

/** Builds what one ONNX operator computes, from its operands; gives its outputs in order (trailing ones may be left out). */
export type Importer = (c: NodeContext) => Value | readonly Value[]

/** What the importer of a whole model does for that of a node. */
export interface ImportServices {
  readonly file: string
  /** The tensor behind a value that does not depend on any input, if it is small enough to be worked out. */
  known(value: Value): Tensor | undefined
  /** A tensor stored in the model, under the name by which it can be asked for. */
  stored(tensor: OnnxTensor, name: string): Value
  /** Builds a subgraph in place and gives its outputs. */
  body(graph: OnnxGraph, g: Scope): Value[]
}

/** An ONNX node being imported: its operands, its attributes, and where to build. */
export class NodeContext {
  readonly g: Scope
  /** Version of the operator set its domain is imported at. */
  readonly opset: number
  readonly node: OnnxNode
  /** An absent optional operand is undefined. */
  readonly inputs: readonly (Value | undefined)[]
  readonly attributes: Attributes
  readonly #services: ImportServices

  constructor(services: ImportServices, g: Scope, node: OnnxNode, opset: number, inputs: readonly (Value | undefined)[]) {
    this.#services = services
    this.g = g
    this.node = node
    this.opset = opset
    this.inputs = inputs
    this.attributes = new Attributes(node.attribute)
  }

  /** The file, for messages. */
  get file(): string {
    return this.#services.file
  }

  /** Operand i. Throws `onnx.malformed` when the node has none. */
  input(index: number): Value {
    const value = this.inputs[index]
    if (value === undefined) throw this.malformed(`lacks its operand ${index + 1}`)
    return value
  }

  optional(index: number): Value | undefined {
    return this.inputs[index]
  }

  /** All operands of a variadic operator, of which there must be one. */
  operands(): readonly [Value, ...Value[]] {
    return [this.input(0), ...this.inputs.slice(1).map((_, i) => this.input(i + 1))]
  }

  /** The numbers of operand i, which must be known before the model runs. */
  numbers(index: number): number[] {
    const tensor = this.tensor(index)
    return Array.from<number | bigint, number>(tensor.data, Number)
  }

  /** The single number of operand i. */
  number(index: number): number {
    const [number, ...rest] = this.numbers(index)
    if (number === undefined || rest.length > 0) throw this.malformed(`needs a single number as operand ${index + 1}`)
    return number
  }

  /** The tensor behind operand i, which must be known before the model runs. */
  tensor(index: number): Tensor {
    const tensor = this.#services.known(this.input(index))
    if (tensor === undefined) throw this.unsupported(`an operand ${index + 1} that is only known while the model runs`)
    return tensor
  }

  known(value: Value): Tensor | undefined {
    return this.#services.known(value)
  }

  stored(tensor: OnnxTensor, name: string): Value {
    return this.#services.stored(tensor, name)
  }

  body(graph: OnnxGraph, g: Scope): Value[] {
    return this.#services.body(graph, g)
  }

  /** What newer operator sets pass as an operand and older ones as an attribute; undefined when neither is there. */
  setting(attribute: string, operand: number): readonly number[] | undefined {
    return this.attributes.ints(attribute) ?? (this.optional(operand) === undefined ? undefined : this.numbers(operand))
  }

  /** An axis of a tensor of this rank; negative ones count from the last. */
  axis(axis: number, rank: number): number {
    const wrapped = axis < 0 ? axis + rank : axis
    if (!Number.isInteger(wrapped) || wrapped < 0 || wrapped >= rank)
      throw this.malformed(`names the axis ${axis} of a tensor that has ${rank}`)
    return wrapped
  }

  axes(axes: readonly number[], rank: number): number[] {
    const wrapped = axes.map((axis) => this.axis(axis, rank))
    if (new Set(wrapped).size !== wrapped.length) throw this.malformed('names an axis twice')
    return wrapped
  }

  /** Refuses the node unless the condition holds; `rule` completes "…, but ". */
  require(condition: boolean, rule: string): asserts condition {
    if (!condition) throw this.malformed(`breaks a rule of ${this.node.opType ?? 'its operator'}: ${rule}`)
  }

  /** The error for a node that breaks the rules of its operator; `what` follows its name. */
  malformed(what: string): HalfstepError {
    return malformedOnnx(this.file, `the node ${nodeName(this.node)} ${what}`)
  }

  /** The error for a variant of a known operator that cannot be imported; `what` follows "with". */
  unsupported(what: string): HalfstepError {
    const { file } = this
    const operator = this.node.opType ?? ''
    const message = `${file} uses ${operator} at ${nodeName(this.node)} with ${what}, which Halfstep cannot import.`
    return new HalfstepError('onnx.unsupported-operator', message, 'Export the model without it.', { file, operators: [operator] })
  }
}
