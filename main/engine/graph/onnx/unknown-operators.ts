import { HalfstepError } from '../../errors.ts'
import { importerOf } from './import/index.ts'
import { normalDomain, operatorOf } from './operator-of.ts'
import type { OnnxNode } from './schema.ts'

type Functions = readonly { readonly name?: string; readonly domain?: string }[]

/**
 * Refuses nodes (branches included) whose operators cannot be imported, with one error that lists all of them and how often each
 * is used, so that it is known at once what a model needs.
 */
export function refuseUnknownOperators(
  nodes: readonly OnnxNode[],
  opsets: ReadonlyMap<string, number>,
  functions: Functions,
  file: string,
): void {
  const counts = new Map<string, number>()
  count(nodes, opsets, functions, counts)
  if (counts.size === 0) return
  const operators = [...counts].map(([operator, uses]) => `${operator} ×${uses}`)
  const message = `${file} uses what Halfstep cannot import: ${operators.join(', ')}.`
  throw new HalfstepError('onnx.unsupported-operator', message, 'Export the model without these operators.', { file, operators })
}

function count(nodes: readonly OnnxNode[], opsets: ReadonlyMap<string, number>, functions: Functions, counts: Map<string, number>): void {
  for (const node of nodes) {
    const { domain, operator } = operatorOf(node)
    const isFunction = functions.some((one) => one.name === operator && normalDomain(one.domain) === domain)
    if (isFunction || importerOf(domain, operator) === undefined) {
      const version = opsets.get(domain)
      const origin = isFunction
        ? 'a function of the model'
        : `${domain === '' ? 'ai.onnx' : domain}${version === undefined ? '' : ` ${version}`}`
      const name = `${operator === '' ? 'a node without operator' : operator} (${origin})`
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    for (const { g } of node.attribute) if (g !== undefined) count(g.node, opsets, functions, counts)
  }
}
