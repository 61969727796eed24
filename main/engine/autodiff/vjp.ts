import { HalfstepError } from '../errors.ts'
import { isFloat } from '../tensor/dtype.ts'
import { Scope, nodesFor, type Graph, type Node, type Segment, type Value } from '../graph/graph.ts'
import type { Operator } from '../graph/operators.ts'
import { add, branch, fill } from '../graph/ops/index.ts'
import type { RuleEntry } from './rule.ts'
import { rules } from './rules/index.ts'

export interface VjpOptions {
  /**
   * A scalar bool of the graph. Where it is false nothing of the gradient is computed (the gradients are then meaningless
   * scalars), so that one session serves inference and training. Segments can only be recomputed behind a gate: without one
   * the whole gradient is plain nodes.
   */
  readonly gate?: Value
  /** Whether a segment is recomputed in the backward pass (little memory) or its insides are kept (less time). Default: all are. */
  readonly recompute?: (segment: Segment) => boolean
}

/**
 * Reverse-mode differentiation as a graph transformation: builds Σ over outputs y of (∂y/∂x)ᵀ · u_y for every x in `wrt`.
 *
 * Segments of the forward pass become one `If` each, whose branch recomputes the segment and differentiates it. Their order is
 * tied by the upstream gradient they capture, so at any time the insides of one segment are in memory; measured on ONNX Runtime,
 * recomputation by plain nodes is merged away or hoisted, and saves nothing.
 *
 * @param outputs pairs of an output y and its upstream gradient u_y (same shape and type)
 * @param wrt values to differentiate by: inputs, weights or anything between
 * @returns one gradient per entry of `wrt`, of its shape; zeros where no output depends on it
 * @throws graph.not-differentiable when an operator on the way has no gradient, naming all of them
 */
export function vjp(graph: Graph, outputs: readonly (readonly [Value, Value])[], wrt: readonly Value[], options: VjpOptions = {}): Value[] {
  const reached = nodesFor(outputs.map(([y]) => y))
  const active = activeValues(reached, wrt)
  refuseGaps(reached, active)
  const gradients: Gradients = new Map()
  const { scope } = graph
  for (const [y, u] of outputs) accumulate(scope, gradients, y, u)
  const pass = new BackwardPass(active, new Set(wrt), options)
  const nodes = reached.filter((node) => node.region === graph.main)
  pass.differentiate(nodes, undefined, scope, (value) => value, gradients)
  return wrt.map((value) => gradients.get(value) ?? fill(scope, value.dtype, value.shape, 0))
}

/** The operators on the way from `wrt` to `outputs` that cannot be differentiated, each with its reason. */
export function undifferentiable(outputs: readonly Value[], wrt: readonly Value[]): string[] {
  const nodes = nodesFor(outputs)
  return gaps(nodes, activeValues(nodes, wrt))
}

/** Upstream gradient of each value that has one so far. */
type Gradients = Map<Value, Value>

/** Gives a forward value in the region where the gradient is being built. */
type Resolve = (value: Value) => Value

/** What one level of the pass goes through: a node, or a stretch of nodes that is differentiated as a whole. */
type Item =
  | { readonly kind: 'node'; readonly node: Node }
  | { readonly kind: 'stretch'; readonly name: string; readonly segment: Segment | undefined; readonly nodes: Node[] }

class BackwardPass {
  readonly #active: ReadonlySet<Value>
  readonly #wrt: ReadonlySet<Value>
  readonly #gate: Value | undefined
  readonly #recompute: (segment: Segment) => boolean

  constructor(active: ReadonlySet<Value>, wrt: ReadonlySet<Value>, options: VjpOptions) {
    this.#active = active
    this.#wrt = wrt
    this.#gate = options.gate
    this.#recompute = options.recompute ?? (() => true)
  }

  /** Walks the nodes of one level backwards, turning gradients of outputs into gradients of inputs. */
  differentiate(nodes: readonly Node[], level: Segment | undefined, g: Scope, resolve: Resolve, gradients: Gradients): void {
    const gateLooseNodes = level === undefined && g.region.parent === undefined && this.#gate !== undefined
    for (const item of itemsOf(nodes, level, gateLooseNodes).toReversed()) {
      if (item.kind === 'node') this.#node(item.node, g, resolve, gradients)
      else this.#stretch(item.name, item.segment, item.nodes, g, resolve, gradients)
    }
  }

  #node(node: Node, g: Scope, resolve: Resolve, gradients: Gradients): void {
    const [y] = node.outputs
    const dy = y && gradients.get(y)
    if (y === undefined || dy === undefined) return
    if (!this.#wrt.has(y)) gradients.delete(y)
    if (!this.#active.has(y)) return
    applyRule(node, dy, y, g, resolve, (value) => this.#active.has(value)).forEach((gradient, index) => {
      const operand = node.inputs[index]
      if (gradient !== undefined && operand !== undefined && this.#active.has(operand)) accumulate(g, gradients, operand, gradient)
    })
  }

  #stretch(name: string, segment: Segment | undefined, nodes: readonly Node[], g: Scope, resolve: Resolve, gradients: Gradients): void {
    const made = new Set(nodes.flatMap((node) => node.outputs))
    const flowing = [...made].filter((value) => gradients.has(value))
    if (flowing.length === 0) return
    if (this.#gate === undefined) return this.differentiate(nodes, segment, g, resolve, gradients)

    const then = g.branch(`${name}.backward`)
    const inner: Gradients = new Map()
    const wanted = this.#wantedInputs(nodes, made)
    // What other stretches already gave is added inside the branch, so that nothing is computed outside of one.
    for (const value of [...flowing, ...wanted]) {
      const gradient = gradients.get(value)
      if (gradient !== undefined) inner.set(value, gradient)
    }
    const recomputed = segment !== undefined && this.#recompute(segment)
    this.differentiate(nodes, segment, then, recomputed ? recomputation(segment, then, resolve) : resolve, inner)
    for (const value of flowing) if (!this.#wrt.has(value)) gradients.delete(value)

    const changed = [...inner].filter(([value, gradient]) => gradients.get(value) !== gradient)
    if (changed.length === 0) return
    then.region.results.push(...changed.map(([, gradient]) => gradient))
    const otherwise = g.branch(`${name}.idle`)
    otherwise.region.results.push(...changed.map(([value]) => fill(otherwise, value.dtype, [], 0)))
    const results = branch(g.at(`${name}.backward`), this.#gate, then.region, otherwise.region)
    changed.forEach(([value], i) => {
      const result = results[i]
      if (result !== undefined) gradients.set(value, result)
    })
  }

  /** The values from outside of a stretch that want a gradient through it, and those inside that were asked for themselves. */
  #wantedInputs(nodes: readonly Node[], made: ReadonlySet<Value>): Set<Value> {
    const inputs = nodes.flatMap((node) => node.inputs).filter((value) => value !== undefined)
    return new Set(inputs.filter((value) => this.#active.has(value) && (!made.has(value) || this.#wrt.has(value))))
  }
}

function applyRule(
  node: Node,
  dy: Value,
  y: Value,
  g: Scope,
  resolve: Resolve,
  isActive: (value: Value) => boolean,
): readonly (Value | undefined)[] {
  // The entry of an operator takes nodes of that operator; indexing by a union loses the pairing.
  const entry = rules[node.operator] as RuleEntry<Operator>
  if (entry.kind !== 'rule') return []
  const gradients = entry.apply({
    g: new Scope(g.graph, g.region, node.path, undefined),
    node,
    dy,
    wants: (index) => {
      const operand = node.inputs[index]
      return operand !== undefined && isActive(operand)
    },
    input: (index) => {
      const operand = node.inputs[index]
      if (operand === undefined)
        throw new HalfstepError('internal', `The gradient of ${node.name} asked for operand ${index}, which it has not.`)
      return resolve(operand)
    },
    output: () => resolve(y),
  })
  if (gradients.length > node.inputs.length)
    throw new HalfstepError('internal', `The gradient of ${node.name} has more parts than operands.`)
  return gradients
}

/**
 * Forward values inside a recomputed segment, made again in the given scope when they are asked for. Outputs of segments nested
 * in it were kept by the forward pass and are used as they are.
 */
function recomputation(segment: Segment, into: Scope, outer: Resolve): Resolve {
  const again = new Map<Value, Value>()
  const resolve: Resolve = (value) => {
    const { source } = value
    if (source.kind !== 'node' || !isWithin(source.node.segment, segment)) return outer(value)
    if (source.node.segment !== segment) return value
    const known = again.get(value)
    if (known !== undefined) return known
    const { node } = source
    const scope = new Scope(into.graph, into.region, node.path, undefined)
    const inputs = node.inputs.map((input) => input && resolve(input))
    const outputs = scope.emit(node.operator, inputs, node.attributes, node.outputs)
    node.outputs.forEach((output, index) => {
      const copy = outputs[index]
      if (copy !== undefined) again.set(output, copy)
    })
    return resolve(value)
  }
  return resolve
}

/** Groups the nodes of a level into its own nodes and the segments nested in it, in order. */
function itemsOf(nodes: readonly Node[], level: Segment | undefined, groupLooseNodes: boolean): Item[] {
  const items: Item[] = []
  const stretches = new Map<Segment, Item & { kind: 'stretch' }>()
  for (const node of nodes) {
    const segment = childOf(level, node.segment)
    if (segment !== undefined) {
      const known = stretches.get(segment)
      if (known !== undefined) {
        if (items.at(-1) !== known) throw new HalfstepError('internal', `The segment ${segment.path} was left and entered again.`)
        known.nodes.push(node)
        continue
      }
      const stretch = { kind: 'stretch' as const, name: segment.path, segment, nodes: [node] }
      stretches.set(segment, stretch)
      items.push(stretch)
      continue
    }
    const last = items.at(-1)
    if (!groupLooseNodes) items.push({ kind: 'node', node })
    else if (last?.kind === 'stretch' && last.segment === undefined) last.nodes.push(node)
    else items.push({ kind: 'stretch', name: node.name, segment: undefined, nodes: [node] })
  }
  return items
}

/** The segment directly below `level` that holds `segment`, if there is one. */
function childOf(level: Segment | undefined, segment: Segment | undefined): Segment | undefined {
  let current = segment
  while (current !== undefined && current !== level) {
    if (current.parent === level) return current
    current = current.parent
  }
  return undefined
}

function isWithin(segment: Segment | undefined, ancestor: Segment): boolean {
  for (let current = segment; current !== undefined; current = current.parent) if (current === ancestor) return true
  return false
}

/** All values that move with one of `wrt`. */
function activeValues(nodes: readonly Node[], wrt: readonly Value[]): Set<Value> {
  const active = new Set(wrt)
  for (const node of nodes) {
    const operands = node.operator === 'If' ? [...node.attributes.then.results, ...node.attributes.else.results] : node.inputs
    if (rules[node.operator].kind === 'no-gradient' || !operands.some((operand) => operand !== undefined && active.has(operand))) continue
    for (const output of node.outputs) if (isFloat(output.dtype)) active.add(output)
  }
  return active
}

function gaps(nodes: readonly Node[], active: ReadonlySet<Value>): string[] {
  const found = nodes.flatMap((node) => {
    const entry = rules[node.operator]
    return entry.kind === 'not-differentiable' && node.outputs.some((output) => active.has(output))
      ? [`${node.operator} at ${node.name} (${entry.reason})`]
      : []
  })
  return [...new Set(found)]
}

function refuseGaps(nodes: readonly Node[], active: ReadonlySet<Value>): void {
  const missing = gaps(nodes, active)
  if (missing.length === 0) return
  const message = `The model cannot be differentiated through ${missing.join(', ')}.`
  throw new HalfstepError('graph.not-differentiable', message, 'Use it without its gradient.', { operators: missing })
}

function accumulate(g: Scope, gradients: Gradients, value: Value, gradient: Value): void {
  const known = gradients.get(value)
  gradients.set(value, known === undefined ? gradient : add(g, known, gradient))
}
