import type { OnnxNode } from './schema.ts'

/** The operator a node applies, by domain and name. */
export function operatorOf(node: OnnxNode): { readonly domain: string; readonly operator: string } {
  return { domain: normalDomain(node.domain), operator: node.opType ?? '' }
}

/** ONNX's own domain is spelled `ai.onnx` or left empty. */
export function normalDomain(domain: string | undefined): string {
  return domain === undefined || domain === 'ai.onnx' ? '' : domain
}
