import { HalfstepError } from '../errors.ts'
import { isFloat } from '../tensor/dtype.ts'
import { elementCount } from '../tensor/shape.ts'
import type { Graph, Value } from '../graph/graph.ts'
import { fill } from '../graph/ops/index.ts'
import { vjp } from './vjp.ts'

export interface GradientModelOptions {
  /** The output y to differentiate. */
  readonly output: string
  /** Inputs or parameters x to differentiate by. */
  readonly wrt: readonly string[]
}

/**
 * Adds the gradient to a model: for every x of `wrt` the output `gradient.<x>` = (∂y/∂x)ᵀ · u, of the shape of x. The upstream
 * gradient u is the new input `upstream.<y>`, of the shape of y; a y of one element is differentiated itself (u = 1).
 *
 * @returns the graph itself, ready to be written
 * @throws usage for names the model has not, graph.not-differentiable naming every operator on the way that has no gradient
 */
export function gradientModel(graph: Graph, { output, wrt }: GradientModelOptions): Graph {
  const y = graph.outputs.get(output)
  if (y === undefined) throw unknownName(`output named ${output}`, [...graph.outputs.keys()])
  if (!isFloat(y.dtype)) {
    throw new HalfstepError(
      'graph.not-differentiable',
      `The output ${output} is ${y.dtype}, which has no gradient.`,
      'Choose a floating-point output.',
    )
  }
  const names = [...new Set(wrt)]
  const values = names.map((name) => differentiated(graph, name))
  const upstream =
    elementCount(y.shape) === 1
      ? fill(graph.scope, y.dtype, y.shape, 1)
      : graph.input(freeName(graph, `upstream.${output}`), y.dtype, y.shape)
  const gradients = vjp(graph, [[y, upstream]], values)
  gradients.forEach((gradient, i) => graph.output(freeName(graph, `gradient.${names[i] ?? ''}`), gradient))
  return graph
}

function differentiated(graph: Graph, name: string): Value {
  const inputs = graph.inputs.filter((value) => isFloat(value.dtype))
  const value = inputs.find((input) => input.name === name) ?? graph.parameters.get(name)
  if (value !== undefined) return value
  throw unknownName(`floating-point input or weight named ${name}`, [...inputs.map((input) => input.name), ...graph.parameters.keys()])
}

function freeName(graph: Graph, name: string): string {
  if (graph.uniqueName(name) === name) return name
  throw new HalfstepError(
    'usage',
    `The model already has something named ${name}, which its gradient would be called.`,
    'Rename it in the model.',
  )
}

function unknownName(what: string, known: readonly string[]): HalfstepError {
  const listed = known.length > 20 ? `${known.slice(0, 20).join(', ')} and ${known.length - 20} more` : known.join(', ')
  return new HalfstepError('usage', `The model has no ${what}.`, `It has ${listed}.`, { names: known })
}
