import { malformedOnnx } from './malformed.ts'
import type { OnnxGraph, OnnxNode } from './schema.ts'

/**
 * The nodes that the wanted values need, each after those it depends on; nodes nobody needs are left out.
 * Throws `onnx.malformed` for values made twice, values nobody makes, and cycles, each by name.
 *
 * @param isGiven whether a value is there without any of these nodes: an input, an initializer, or one of an enclosing graph
 */
export function orderNodes(
  nodes: readonly OnnxNode[],
  wanted: readonly string[],
  isGiven: (name: string) => boolean,
  file: string,
): OnnxNode[] {
  const makers = makersOf(nodes, isGiven, file)
  const ordered: OnnxNode[] = []
  const state = new Map<OnnxNode, 'open' | 'done'>()
  // Depth first with a stack of its own, since a chain of nodes may be longer than the call stack is deep.
  const stack: { node: OnnxNode; needs: string[] }[] = []
  const visit = (name: string, by: string): void => {
    const maker = makers.get(name)
    if (maker === undefined) {
      if (!isGiven(name)) throw malformedOnnx(file, `${by} takes ${name}, which nothing makes`)
    } else if (state.get(maker) === 'open') {
      throw malformedOnnx(file, `its nodes form a cycle through ${nodeName(maker)}`)
    } else if (!state.has(maker)) {
      state.set(maker, 'open')
      stack.push({ node: maker, needs: needsOf(maker) })
    }
  }
  for (const name of wanted) {
    visit(name, 'an output')
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const need = top.needs.pop()
      if (need !== undefined) {
        visit(need, nodeName(top.node))
        continue
      }
      state.set(top.node, 'done')
      ordered.push(top.node)
      stack.pop()
    }
  }
  return ordered
}

/** How messages call a node: its own name, or what it makes. */
export function nodeName(node: OnnxNode): string {
  return node.name === undefined || node.name === ''
    ? `${node.opType ?? 'node'} for ${node.output.find((name) => name !== '') ?? 'nothing'}`
    : node.name
}

function makersOf(nodes: readonly OnnxNode[], isGiven: (name: string) => boolean, file: string): Map<string, OnnxNode> {
  const makers = new Map<string, OnnxNode>()
  for (const node of nodes) {
    for (const name of node.output) {
      if (name === '') continue
      if (makers.has(name) || isGiven(name)) throw malformedOnnx(file, `the value ${name} of ${nodeName(node)} is made twice`)
      makers.set(name, node)
    }
  }
  return makers
}

function needsOf(node: OnnxNode): string[] {
  const captured = node.attribute.flatMap(({ g }) => (g === undefined ? [] : freeNames(g)))
  return [...node.input, ...captured].filter((name) => name !== '')
}

/** The names a subgraph takes from around it. */
function freeNames(graph: OnnxGraph): string[] {
  const own = new Set([
    ...graph.input.map(({ name }) => name),
    ...graph.initializer.map(({ name }) => name),
    ...graph.node.flatMap(({ output }) => output),
  ])
  const taken = [...graph.node.flatMap(needsOf), ...graph.output.map(({ name }) => name ?? '')]
  return taken.filter((name) => name !== '' && !own.has(name))
}
