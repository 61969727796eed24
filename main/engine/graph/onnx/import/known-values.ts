import { isFloat } from '../../../tensor/dtype.ts'
import { elementCount } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Graph, Value } from '../../graph.ts'
import { evaluate } from './evaluate.ts'

/** Larger tensors are left to the runtime: shapes, bounds, positions and masks of sequences are smaller. */
const MAX_KNOWN = 2 ** 16

/**
 * The values of a model that depend on no input, worked out while it is imported. Exporters write shapes as computations (Shape,
 * Gather, Concat, …); since every size is fixed here, all of them come down to numbers.
 */
export class KnownValues {
  readonly #tensors = new Map<Value, Tensor | undefined>()

  /** The tensor behind a value, or undefined when it depends on an input or is too large. */
  of(value: Value): Tensor | undefined {
    const { source } = value
    if (source.kind === 'constant') return source.tensor
    if (source.kind !== 'node' || source.index !== 0) return undefined
    if (!this.#tensors.has(value)) this.#tensors.set(value, this.#compute(value))
    return this.#tensors.get(value)
  }

  /**
   * The value as a constant if it is a known integer or truth value, so that nothing of the computation of shapes is left for the
   * runtime. Floating-point values keep their way back to the weights they came from, for the gradient.
   */
  settle(graph: Graph, value: Value): Value {
    const tensor = this.of(value)
    return tensor === undefined || value.source.kind === 'constant' || isFloat(value.dtype) ? value : graph.constant(tensor, value.name)
  }

  // Values are asked for in the order in which they are made, so this does not recurse past the nodes of one operator.
  #compute(value: Value): Tensor | undefined {
    if (value.source.kind !== 'node' || elementCount(value.shape) > MAX_KNOWN) return undefined
    const { node } = value.source
    const operands: Tensor[] = []
    for (const input of node.inputs) {
      const tensor = input && this.of(input)
      if (tensor === undefined || tensor.data.length > MAX_KNOWN) return undefined
      operands.push(tensor)
    }
    return evaluate(node, value, operands)
  }
}
