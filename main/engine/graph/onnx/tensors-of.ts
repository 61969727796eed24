import type { OnnxGraph, OnnxTensor } from './schema.ts'

/** Every tensor a graph stores: initializers and attributes, those of subgraphs included. */
export function tensorsOf(graph: OnnxGraph): OnnxTensor[] {
  const attributes = graph.node.flatMap((node) => node.attribute)
  return [
    ...graph.initializer,
    ...attributes.flatMap(({ t }) => (t === undefined ? [] : [t])),
    ...attributes.flatMap(({ g }) => (g === undefined ? [] : tensorsOf(g))),
  ]
}
