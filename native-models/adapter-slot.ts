import type { Value } from '../main/engine/graph/graph.ts'
import type { Shape } from '../main/engine/tensor/shape.ts'

/** The layers a low-rank adapter can sit on. */
export type AdaptedLayer = 'linear' | 'conv2d'

/** Size and weight of one adapted layer: y = W x + strength · (alpha / rank) · B A x (Hu et al. 2021). */
export interface AdapterShape {
  readonly rank: number
  readonly alpha: number
}

/** A place for one adapter in a model: which layers it touches. What it holds is fed at run time. */
export interface AdapterSlot {
  /** Leads the names of the graph inputs. */
  readonly name: string
  /** Rank and alpha for the layer at a module path (`down_blocks.0…attn1.to_q`), or undefined to leave it alone. */
  target(path: string, kind: AdaptedLayer): AdapterShape | undefined
}

/** An adapted layer of a built model, and the graph inputs (all float32) that carry its matrices. */
export interface AdapterTarget extends AdapterShape {
  readonly slot: string
  readonly path: string
  readonly kind: AdaptedLayer
  /** A: [rank, in], or [rank, in, kh, kw] of a convolution. */
  readonly down: { readonly input: string; readonly shape: Shape }
  /** B: [out, rank], or [out, rank, 1, 1]. */
  readonly up: { readonly input: string; readonly shape: Shape }
}

/** The matrices of one adapter at one layer, as values of the layer's element type. */
export interface AdapterValues extends AdapterShape {
  readonly down: Value
  readonly up: Value
  /** Scalar. */
  readonly strength: Value
}

/** Name of the scalar graph input (float32) that scales everything a slot does. */
export function strengthInput(slot: string): string {
  return `${slot}.strength`
}

/** Describes the adapted layer: A has the layer's own weight shape with `rank` outputs, B leads from there to the outputs. */
export function adapterTarget(slot: string, path: string, kind: AdaptedLayer, layer: Shape, shape: AdapterShape): AdapterTarget {
  const [out = 0, ...receptive] = layer
  const pointwise = receptive.slice(1).map(() => 1)
  return {
    slot,
    path,
    kind,
    rank: shape.rank,
    alpha: shape.alpha,
    down: { input: `${slot}.${path}.lora_A.weight`, shape: [shape.rank, ...receptive] },
    up: { input: `${slot}.${path}.lora_B.weight`, shape: [out, shape.rank, ...pointwise] },
  }
}
