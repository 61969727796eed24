import type { Tensor } from '../tensor/tensor.ts'
import { Graph, Scope, nodesFor, type Node, type Region, type Value } from './graph.ts'

/**
 * Builds what stands in for a node, from the operands it has in the new graph; undefined leaves the node as it is.
 * Only single-output operators can be replaced. `valueOf` gives any earlier value of the old graph in the new one.
 */
export type Replacement = (
  g: Scope,
  node: Node,
  inputs: readonly (Value | undefined)[],
  valueOf: (value: Value) => Value,
) => Value | undefined

/**
 * A copy of a graph with some nodes replaced: same inputs, outputs, weights and branches. The original is left as it is.
 * @param fixed inputs that become tensors stored in the graph, by name
 */
export function rewrite(graph: Graph, replace: Replacement, fixed: ReadonlyMap<string, Tensor> = new Map()): Graph {
  const copy = new Graph()
  const regions = new Map<Region, Region>([[graph.main, copy.main]])
  const values = new Map<Value, Value>()
  for (const input of graph.inputs) {
    const tensor = fixed.get(input.name)
    values.set(input, tensor === undefined ? copy.input(input.name, input.dtype, input.shape) : copy.parameter(input.name, tensor))
  }

  const regionOf = (region: Region): Region => {
    const known = regions.get(region)
    if (known !== undefined) return known
    const parent = region.parent === undefined ? undefined : regionOf(region.parent)
    const made: Region = { parent, results: [] }
    regions.set(region, made)
    return made
  }
  const valueOf = (value: Value): Value => {
    const known = values.get(value)
    if (known !== undefined) return known
    const { name, dtype, shape, source } = value
    if (source.kind === 'weight') return remember(value, copy.weight(name, dtype, shape, source.location))
    if (source.kind === 'constant') return remember(value, copy.constant(source.tensor, name))
    throw new RangeError(`${name} is used before it is made`)
  }
  const remember = (value: Value, made: Value): Value => {
    values.set(value, made)
    return made
  }

  // Creation order is a topological order, and the nodes of a branch come before their If.
  for (const node of nodesFor(graph.outputs.values())) {
    const scope = new Scope(copy, regionOf(node.region), node.path, node.segment)
    const inputs = node.inputs.map((input) => input && valueOf(input))
    const [output] = node.outputs
    const replaced = node.outputs.length === 1 ? replace(scope, node, inputs, valueOf) : undefined
    if (replaced !== undefined && output !== undefined) {
      remember(output, replaced)
      continue
    }
    if (node.operator === 'If') {
      const branches = { then: regionOf(node.attributes.then), else: regionOf(node.attributes.else) }
      for (const side of ['then', 'else'] as const) branches[side].results.push(...node.attributes[side].results.map(valueOf))
      scope.emit('If', inputs, branches, node.outputs).forEach((made, i) => remember(node.outputs[i] ?? made, made))
      continue
    }
    scope.emit(node.operator, inputs, node.attributes, node.outputs).forEach((made, i) => remember(node.outputs[i] ?? made, made))
  }
  for (const [name, value] of graph.outputs) copy.output(name, valueOf(value))
  return copy
}

/** A copy of a graph in which these inputs are tensors stored in it: a trained network that needs nothing beside its own file. */
export function withStored(graph: Graph, tensors: ReadonlyMap<string, Tensor>): Graph {
  return rewrite(graph, () => undefined, tensors)
}
