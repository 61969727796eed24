import type { Value } from '../../graph.ts'
import * as ops from '../../ops/index.ts'
import type { Importer, NodeContext } from './node-context.ts'
import { layerNorm, rmsNorm } from './normalization.ts'

/** Operators of the domain com.microsoft, which ONNX Runtime's optimiser writes into models. */
export const microsoft: Readonly<Record<string, Importer>> = {
  Gelu: (c) => ops.gelu(c.g, c.input(0)),
  BiasGelu: (c) => ops.gelu(c.g, ops.add(c.g, c.input(0), c.input(1))),
  FastGelu: (c: NodeContext) => {
    const bias = c.optional(1)
    return ops.geluTanh(c.g, bias === undefined ? c.input(0) : ops.add(c.g, c.input(0), bias))
  },
  // x · σ(α x)
  QuickGelu: (c) => ops.mul(c.g, c.input(0), ops.sigmoid(c.g, ops.scale(c.g, c.input(0), c.attributes.float('alpha', 1.702)))),
  FusedMatMul: (c: NodeContext) => {
    if (c.attributes.flag('transBatchA') || c.attributes.flag('transBatchB')) throw c.unsupported('transposed batches')
    const [a, b] = [c.input(0), c.input(1)]
    const product = ops.matMul(c.g, c.attributes.flag('transA') ? swapLast(c, a) : a, c.attributes.flag('transB') ? swapLast(c, b) : b)
    return ops.scale(c.g, product, c.attributes.float('alpha', 1))
  },
  // Outputs: the normalised sum, mean, deviation, the sum itself.
  SkipLayerNormalization: (c) => skipNorm(c, 4, (sum) => layerNorm(c, sum, c.input(2), c.optional(3), 1e-12)),
  SkipSimplifiedLayerNormalization: (c) => skipNorm(c, 3, (sum) => rmsNorm(c, sum, c.input(2), 1e-12)),
}

function skipNorm(c: NodeContext, biasIndex: number, normalize: (sum: Value) => Value): readonly Value[] {
  const [, ...more] = c.node.output
  if ([more[0], more[1]].some((name) => name !== undefined && name !== '')) throw c.unsupported('its mean or deviation as a result')
  const bias = c.optional(biasIndex)
  const skipped = ops.add(c.g, c.input(0), c.input(1))
  const sum = bias === undefined ? skipped : ops.add(c.g, skipped, bias)
  const normal = normalize(sum)
  return [normal, normal, normal, sum]
}

function swapLast(c: NodeContext, x: Value): Value {
  const rank = x.shape.length
  c.require(rank > 1, 'its operands are matrices')
  return ops.transpose(c.g, x, [...x.shape.keys()].slice(0, rank - 2).concat(rank - 1, rank - 2))
}
