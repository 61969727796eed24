import { elementCount } from '../../../tensor/shape.ts'
import type { Scope, Value } from '../../graph.ts'
import * as ops from '../../ops/index.ts'
import type { NodeContext } from './node-context.ts'

/** A value whose axes have names. */
interface Labelled {
  readonly value: Value
  readonly labels: readonly string[]
}

/**
 * Einstein summation as products of matrices, two operands at a time: axes that neither the result nor a later operand names are
 * summed; those both operands name are batches, or contracted. Ellipses and repeated names in one operand are refused.
 */
export function einsum(c: NodeContext): Value {
  const { terms, result } = parse(c)
  const operands = c.operands().map((value, i): Labelled => ({ value, labels: terms[i] ?? [] }))
  checkSizes(c, operands)
  const [first, ...rest] = operands
  if (first === undefined) throw c.malformed('has no operands')
  const final = rest.reduce<Labelled>((left, right, i) => {
    const later = new Set([...result, ...terms.slice(i + 2).flat()])
    return contract(
      c.g,
      sumOut(c.g, left, new Set([...later, ...right.labels])),
      sumOut(c.g, right, new Set([...later, ...left.labels])),
      later,
    )
  }, first)
  return order(c.g, sumOut(c.g, final, new Set(result)), result)
}

function parse(c: NodeContext): { terms: string[][]; result: string[] } {
  const equation = c.attributes.text('equation', '').replaceAll(' ', '')
  const [left = '', right] = equation.split('->')
  if (equation.includes('.')) throw c.unsupported(`the equation ${equation}`)
  const terms = left.split(',').map((term) => Array.from(term))
  const counts = new Map<string, number>()
  for (const label of terms.flat()) counts.set(label, (counts.get(label) ?? 0) + 1)
  // Without an arrow the result has the names that appear once, in the order of the alphabet.
  const result = right === undefined ? [...counts.keys()].filter((label) => counts.get(label) === 1).sort() : Array.from(right)
  if ([...terms, result].some((term) => new Set(term).size !== term.length)) throw c.unsupported(`the equation ${equation}`)
  c.require(terms.length === c.inputs.length && result.every((label) => counts.has(label)), `the equation ${equation} fits its operands`)
  return { terms, result }
}

function checkSizes(c: NodeContext, operands: readonly Labelled[]): void {
  const sizes = new Map<string, number>()
  for (const { value, labels } of operands) {
    c.require(labels.length === value.shape.length, 'the equation names every axis')
    labels.forEach((label, axis) => {
      const size = value.shape[axis] ?? 0
      c.require((sizes.get(label) ?? size) === size, `the axis ${label} has one size`)
      sizes.set(label, size)
    })
  }
}

/** Sums the axes that are not needed any more. */
function sumOut(g: Scope, { value, labels }: Labelled, needed: ReadonlySet<string>): Labelled {
  const axes = [...labels.keys()].filter((axis) => !needed.has(labels[axis] ?? ''))
  return { value: ops.sum(g, value, axes), labels: labels.filter((label) => needed.has(label)) }
}

/** [batch, left, shared] · [batch, shared, right] → [batch, left, right], with the named axes of each group flattened. */
function contract(g: Scope, a: Labelled, b: Labelled, later: ReadonlySet<string>): Labelled {
  const batch = a.labels.filter((label) => b.labels.includes(label) && later.has(label))
  const shared = a.labels.filter((label) => b.labels.includes(label) && !later.has(label))
  const left = a.labels.filter((label) => !b.labels.includes(label))
  const right = b.labels.filter((label) => !a.labels.includes(label))
  const size = ({ value, labels }: Labelled, group: readonly string[]): number =>
    elementCount(group.map((label) => value.shape[labels.indexOf(label)] ?? 1))
  const rows = ops.reshape(g, order(g, a, [...batch, ...left, ...shared]), [size(a, batch), size(a, left), size(a, shared)])
  const columns = ops.reshape(g, order(g, b, [...batch, ...shared, ...right]), [size(b, batch), size(b, shared), size(b, right)])
  const sizes = (of: Labelled, group: readonly string[]): number[] => group.map((label) => size(of, [label]))
  const product = ops.reshape(g, ops.matMul(g, rows, columns), [...sizes(a, batch), ...sizes(a, left), ...sizes(b, right)])
  return { value: product, labels: [...batch, ...left, ...right] }
}

function order(g: Scope, { value, labels }: Labelled, wanted: readonly string[]): Value {
  return ops.transpose(
    g,
    value,
    wanted.map((label) => labels.indexOf(label)),
  )
}
