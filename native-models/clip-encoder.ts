import type { Scope, Value } from '../main/engine/graph/graph.ts'
import * as ops from '../main/engine/graph/ops/index.ts'
import { attention } from './attention.ts'
import type { Module } from './module.ts'

/** What the layers of CLIP's text and vision transformers have in common. */
export interface ClipEncoderConfig {
  readonly layers: number
  readonly heads: number
  readonly intermediateSize: number
  readonly hiddenAct: 'quick_gelu' | 'gelu'
  readonly layerNormEps: number
}

/** All layers, one after the other: the value before the first, and after each. x [b, n, c], mask [n, n] added to the scores. */
export function clipEncoder(m: Module, x: Value, config: ClipEncoderConfig, mask?: Value): Value[] {
  const states = [x]
  for (let i = 0, h = x; i < config.layers; i++) {
    h = clipEncoderLayer(m.segment(`layers.${i}`), h, config, mask)
    states.push(h)
  }
  return states
}

/** Pre-norm transformer layer: self-attention, then a two-layer perceptron, each added to what came in. */
export function clipEncoderLayer(m: Module, x: Value, config: ClipEncoderConfig, mask?: Value): Value {
  const g = m.scope
  const normal = m.layerNorm('layer_norm1', x, config.layerNormEps)
  const attended = ops.add(g, x, selfAttention(m.at('self_attn'), normal, config.heads, mask))
  return ops.add(g, attended, perceptron(m.at('mlp'), m.layerNorm('layer_norm2', attended, config.layerNormEps), config))
}

function selfAttention(m: Module, x: Value, heads: number, mask?: Value): Value {
  const width = x.shape[2] ?? 1
  const query = m.linear('q_proj', x, width)
  const key = m.linear('k_proj', x, width)
  const value = m.linear('v_proj', x, width)
  const { maxScoreElements } = m
  const operands = { query, key, value, heads, maxScoreElements, ...(mask === undefined ? {} : { mask }) }
  return m.linear('out_proj', attention(m.scope, operands), width)
}

function perceptron(m: Module, x: Value, { intermediateSize, hiddenAct }: ClipEncoderConfig): Value {
  return m.linear('fc2', activate(m.scope, m.linear('fc1', x, intermediateSize), hiddenAct), x.shape[2] ?? 1)
}

function activate(g: Scope, x: Value, activation: ClipEncoderConfig['hiddenAct']): Value {
  return activation === 'gelu' ? ops.gelu(g, x) : ops.quickGelu(g, x)
}
