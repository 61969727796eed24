import type { ClipTextConfig } from '../../../native-models/checkpoint/clip-text-config.ts'
import type { UnetConfig } from '../../../native-models/checkpoint/unet-config.ts'
import { clipText } from '../../../native-models/clip-text.ts'
import { Module, type Parameter } from '../../../native-models/module.ts'
import { unet } from '../../../native-models/unet.ts'
import { weightSource } from '../../../native-models/weights/weight-source.ts'
import { Graph } from '../graph/graph.ts'
import * as ops from '../graph/ops/index.ts'

export interface DenoiserLoss {
  readonly graph: Graph
  /** Of the UNet and of the text encoder, by their own names: the two have none in common. */
  readonly unet: readonly Parameter[]
  readonly textEncoder: readonly Parameter[]
}

const NOTHING_ON_FILE = weightSource('(weights to be trained)', [])
const ALL_TRAINED = { trainable: () => true }

/**
 * The denoiser's loss with its text encoder, both trained together: output `loss`, the mean square of prediction − `target`.
 * Inputs: `sample` and `target` [b, c, h, w], `timestep` [b], float32; `input_ids` [b, tokens], int64.
 */
export function denoiserLoss(unetConfig: UnetConfig, textConfig: ClipTextConfig, batch: number, size: number): DenoiserLoss {
  const graph = new Graph()
  const g = graph.scope
  const shape = [batch, unetConfig.inChannels, size, size]
  const sample = graph.input('sample', 'float32', shape)
  const target = graph.input('target', 'float32', shape)
  const timestep = graph.input('timestep', 'float32', [batch])
  const ids = graph.input('input_ids', 'int64', [batch, textConfig.maxPositions])
  const text = Module.root(g, NOTHING_ON_FILE, ALL_TRAINED)
  const network = Module.root(g, NOTHING_ON_FILE, ALL_TRAINED)
  const context = clipText(text, textConfig, ids).lastHiddenState
  const difference = ops.sub(g, unet(network, unetConfig, { sample, timestep, context }), target)
  graph.output('loss', ops.mean(g, ops.mul(g, difference, difference)))
  return { graph, unet: network.parameters, textEncoder: text.parameters }
}
