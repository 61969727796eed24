import type { Shape } from '../../../main/engine/tensor/shape.ts'
import type { UnetBlockConfig, UnetConfig } from '../../../native-models/checkpoint/unet-config.ts'

type Named = readonly [name: string, shape: Shape]

/** Names (as in diffusers) and shapes of a UNet's weights, biases left out, following UNet2DConditionModel's constructor. */
export function unetShapes(config: UnetConfig): Named[] {
  const { downBlocks, midBlock, upBlocks, timeEmbedDim, addition } = config
  const first = downBlocks[0]!.channels
  const weights: Named[] = [
    ['conv_in.weight', [first, config.inChannels, config.convInKernel, config.convInKernel]],
    ['time_embedding.linear_1.weight', [timeEmbedDim, config.timeInputDim]],
    ['time_embedding.linear_2.weight', [timeEmbedDim, timeEmbedDim]],
    ['conv_norm_out.weight', [first]],
    ['conv_out.weight', [config.outChannels, first, config.convOutKernel, config.convOutKernel]],
  ]
  if (addition) {
    weights.push(['add_embedding.linear_1.weight', [timeEmbedDim, addition.inputDim]])
    weights.push(['add_embedding.linear_2.weight', [timeEmbedDim, timeEmbedDim]])
  }
  const transformer = (name: string, block: Omit<UnetBlockConfig, 'kind' | 'layers' | 'resamples' | 'onlyCrossAttention'>) =>
    transformerShapes(name, block, config.useLinearProjection)

  /** Channels that the way up receives through the skip connections, last in first out. */
  const skips = [first]
  let channels = first
  downBlocks.forEach((block, b) => {
    for (let i = 0; i < block.layers; i++) {
      weights.push(...resnetShapes(`down_blocks.${b}.resnets.${i}`, channels, block.channels, timeEmbedDim))
      if (block.kind === 'cross-attention') weights.push(...transformer(`down_blocks.${b}.attentions.${i}`, block))
      channels = block.channels
      skips.push(channels)
    }
    if (!block.resamples) return
    weights.push([`down_blocks.${b}.downsamplers.0.conv.weight`, [channels, channels, 3, 3]])
    skips.push(channels)
  })
  weights.push(...resnetShapes('mid_block.resnets.0', channels, channels, timeEmbedDim))
  if (midBlock.kind === 'cross-attention') {
    weights.push(...transformer('mid_block.attentions.0', midBlock))
    weights.push(...resnetShapes('mid_block.resnets.1', channels, channels, timeEmbedDim))
  }
  upBlocks.forEach((block, b) => {
    for (let i = 0; i < block.layers; i++) {
      weights.push(...resnetShapes(`up_blocks.${b}.resnets.${i}`, channels + skips.pop()!, block.channels, timeEmbedDim))
      if (block.kind === 'cross-attention') weights.push(...transformer(`up_blocks.${b}.attentions.${i}`, block))
      channels = block.channels
    }
    if (block.resamples) weights.push([`up_blocks.${b}.upsamplers.0.conv.weight`, [channels, channels, 3, 3]])
  })
  return weights
}

function resnetShapes(name: string, input: number, output: number, time: number): Named[] {
  const shortcut: Named[] = input === output ? [] : [[`${name}.conv_shortcut.weight`, [output, input, 1, 1]]]
  return [
    [`${name}.norm1.weight`, [input]],
    [`${name}.conv1.weight`, [output, input, 3, 3]],
    [`${name}.time_emb_proj.weight`, [output, time]],
    [`${name}.norm2.weight`, [output]],
    [`${name}.conv2.weight`, [output, output, 3, 3]],
    ...shortcut,
  ]
}

function transformerShapes(
  name: string,
  { channels, transformerLayers, crossAttentionDim }: Pick<UnetBlockConfig, 'channels' | 'transformerLayers' | 'crossAttentionDim'>,
  isLinear: boolean,
): Named[] {
  const projection = isLinear ? [channels, channels] : [channels, channels, 1, 1]
  const layers = Array.from({ length: transformerLayers }, (_, i): Named[] => [
    [`${name}.transformer_blocks.${i}.norm1.weight`, [channels]],
    [`${name}.transformer_blocks.${i}.attn1.to_k.weight`, [channels, channels]],
    [`${name}.transformer_blocks.${i}.attn2.to_k.weight`, [channels, crossAttentionDim]],
    [`${name}.transformer_blocks.${i}.ff.net.0.proj.weight`, [8 * channels, channels]],
  ])
  return [
    [`${name}.norm.weight`, [channels]],
    [`${name}.proj_in.weight`, projection],
    ...layers.flat(),
    [`${name}.proj_out.weight`, projection],
  ]
}
