import type { Value } from '../../main/engine/graph/graph.ts'
import * as ops from '../../main/engine/graph/ops/index.ts'
import { cnn, type CnnConfig } from '../cnn.ts'
import type { Module } from '../module.ts'
import { FINGER_COUNTS } from './world/hand.ts'

/** What the critic tells apart: three to seven fingers, and pictures whose fingers cannot be counted for certain. */
export const CRITIC_CLASSES: readonly string[] = [...FINGER_COUNTS.map(String), 'unclear']

/** The small network that reads the number of fingers from a picture. */
export const CRITIC: CnnConfig = {
  layers: [
    { kind: 'conv', channels: 16, kernel: 3, stride: 2, padding: 1 },
    { kind: 'group-norm', groups: 4 },
    { kind: 'activation', activation: 'silu' },
    { kind: 'conv', channels: 32, kernel: 3, stride: 2, padding: 1 },
    { kind: 'group-norm', groups: 8 },
    { kind: 'activation', activation: 'silu' },
    { kind: 'conv', channels: 48, kernel: 3, padding: 1 },
    { kind: 'group-norm', groups: 8 },
    { kind: 'activation', activation: 'silu' },
    { kind: 'conv', channels: 64, kernel: 3, stride: 2, padding: 1 },
    { kind: 'group-norm', groups: 8 },
    { kind: 'activation', activation: 'silu' },
    { kind: 'conv', channels: 64, kernel: 3, padding: 1 },
    { kind: 'group-norm', groups: 8 },
    { kind: 'activation', activation: 'silu' },
    { kind: 'conv', channels: 96, kernel: 3, stride: 2, padding: 1 },
    { kind: 'group-norm', groups: 8 },
    { kind: 'activation', activation: 'silu' },
    { kind: 'flatten' },
    { kind: 'linear', features: 96 },
    { kind: 'activation', activation: 'silu' },
    { kind: 'linear', features: CRITIC_CLASSES.length },
  ],
}

/** Pictures [b, 3, 64, 64] in [0, 1] → one logit per class, [b, 6]. */
export function criticLogits(m: Module, pictures: Value): Value {
  return cnn(m, CRITIC, ops.shift(m.scope, ops.scale(m.scope, pictures, 2), -1))
}
