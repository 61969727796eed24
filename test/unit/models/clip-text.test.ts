import { describe, expect, it } from 'vitest'
import { int64, type Tensor } from '../../../main/engine/tensor/tensor.ts'
import type { ClipTextConfig } from '../../../native-models/checkpoint/clip-text-config.ts'
import { buildClipText } from '../../../native-models/clip-text.ts'
import { clipTextWeights } from '../../../native-models/required-weights.ts'
import { compute, layout, noise, outerSegmentPaths, scatteredSegments } from './fixtures.ts'

const config: ClipTextConfig = {
  vocabSize: 50,
  hiddenSize: 8,
  intermediateSize: 16,
  layers: 2,
  heads: 2,
  maxPositions: 6,
  hiddenAct: 'gelu',
  layerNormEps: 1e-5,
  projectionDim: 3,
  withProjection: true,
  eosTokenId: 49,
}

/** Runs the encoder with made-up weights; returns the outputs. */
async function encode(ids: readonly number[][], changes: Partial<ClipTextConfig> = {}): Promise<Record<string, Tensor>> {
  const [batch, textLength] = [ids.length, ids[0]!.length]
  const { graph } = buildClipText({ ...config, ...changes }, layout([]), { batch, textLength, trainable: () => true })
  const feeds = Object.fromEntries(graph.inputs.slice(1).map(({ name, shape }, i) => [name, noise(shape, i)]))
  return await compute(graph, { ...feeds, input_ids: int64([batch, textLength], ids.flat()) })
}

/** Position of the row of the last hidden state that is the pooled output, per sample. */
async function pooledPositions(ids: readonly number[][], eosTokenId: number): Promise<number[]> {
  const { last_hidden_state: states, pooled } = await encode(ids, { eosTokenId })
  const [, length = 0, width = 0] = states!.shape
  const row = ({ data }: Tensor, i: number): string => [...data].slice(i * width, (i + 1) * width).map((x) => Number(x).toFixed(5)).join()
  return ids.map((_, sample) => {
    const rows = Array.from({ length }, (_, i) => row(states!, sample * length + i))
    return rows.indexOf(row(pooled!, sample))
  })
}

describe('the pooled output', () => {
  it('is taken at the first end-of-text token, though the padding repeats it', async () => {
    expect(await pooledPositions([[1, 7, 49, 49, 49, 49], [1, 7, 8, 9, 10, 49]], 49)).toEqual([2, 5])
  })

  it('is taken at the largest id under the legacy end-of-text 2, wherever a 2 stands', async () => {
    expect(await pooledPositions([[1, 2, 7, 48, 2, 2], [9, 2, 3, 4, 9, 1]], 2)).toEqual([3, 0])
  })

  it('is taken at the first token where there is no end of text', async () => {
    expect(await pooledPositions([[1, 7, 8, 9, 10, 11]], 49)).toEqual([0])
  })
})

describe('the encoder', () => {
  it('lets no token see those after it', async () => {
    const [a, b] = [await encode([[1, 7, 8, 9]]), await encode([[1, 7, 30, 31]])]
    const [left, right] = [a, b].map((outputs) => [...outputs['last_hidden_state']!.data].map(Number))
    left!.slice(0, 16).forEach((value, i) => expect(value).toBeCloseTo(right![i]!, 5))
    expect(left!.slice(16)).not.toEqual(right!.slice(16))
  })

  it('gives text_embeds only with a projection', () => {
    const outputs = (withProjection: boolean): string[] => {
      const changed = { ...config, withProjection }
      return [...buildClipText(changed, layout(clipTextWeights(changed)), { batch: 1 }).graph.outputs.keys()]
    }
    expect(outputs(true)).toEqual(['last_hidden_state', 'penultimate', 'pooled', 'text_embeds'])
    expect(outputs(false)).toEqual(['last_hidden_state', 'penultimate', 'pooled'])
  })

  it('takes no more tokens than it has positions', () => {
    expect(() => buildClipText(config, layout(clipTextWeights(config)), { batch: 1, textLength: 7 })).toThrow('it takes 6 tokens at most')
  })

  it('offers its linear layers to adapters by their transformers names', () => {
    const adapters = [{ name: 'lora', target: (path: string) => (path.endsWith('_proj') ? { rank: 1, alpha: 1 } : undefined) }]
    const { adapterTargets } = buildClipText(config, layout(clipTextWeights(config)), { batch: 1, adapters })
    const names = ['q_proj', 'k_proj', 'v_proj', 'out_proj']
    const projections = (layer: number): string[] => names.map((name) => `text_model.encoder.layers.${layer}.self_attn.${name}`)
    expect(adapterTargets.map(({ path }) => path)).toEqual([...projections(0), ...projections(1)])
  })

  it('has a segment per layer and one for the end, each in one piece', () => {
    const { graph } = buildClipText(config, layout(clipTextWeights(config)), { batch: 1 })
    expect(outerSegmentPaths(graph)).toEqual(['text_model.encoder.layers.0', 'text_model.encoder.layers.1', 'text_final'])
    expect(scatteredSegments(graph)).toEqual([])
  })
})
