import type { Component } from '../../../native-models/checkpoint/checkpoint.ts'
import type { ClipModel } from '../../../native-models/checkpoint/clip-model.ts'
import type { ClipTextConfig } from '../../../native-models/checkpoint/clip-text-config.ts'
import { buildClipText } from '../../../native-models/clip-text.ts'
import { clipVision } from '../../../native-models/clip-vision.ts'
import { Module } from '../../../native-models/module.ts'
import type { ClipTokenizer } from '../../../native-models/tokenizer/clip-tokenizer.ts'
import { HalfstepError } from '../errors.ts'
import { Graph, type Scope, type Value } from '../graph/graph.ts'
import * as ops from '../graph/ops/index.ts'
import { maxScoreElements } from '../networks/recomputation.ts'
import { Session } from '../runtime/session.ts'
import { float32, int64, toFloat32, type FloatTensor } from '../tensor/tensor.ts'
import { pictureInput } from './picture-input.ts'
import { sessionOptions, type RewardPlace } from './scoring-network.ts'

/** The channel statistics that OpenAI's and OpenCLIP's models were trained with. */
export const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073] as const
export const CLIP_STD = [0.26862954, 0.26130258, 0.27577711] as const

/** Prompts whose embeddings are kept: a prompt list seldom is longer, and each takes a few kilobytes. */
const KEPT_PROMPTS = 4096

/** A graph with its input `pictures` [batch, 3, h, w] and their embeddings, of length one, [batch, d] in float32. */
export function imageEmbedding(model: ClipModel, place: RewardPlace): { readonly graph: Graph; readonly embedding: Value } {
  const { config, weights } = model.vision
  const graph = new Graph()
  const pictures = graph.input('pictures', 'float32', [place.batch, 3, place.height, place.width])
  const { imageSize } = config
  const input = { height: imageSize, width: imageSize, fit: 'crop', mean: CLIP_MEAN, std: CLIP_STD, clamp: true } as const
  const pixels = pictureInput(graph.scope.at('picture_input'), pictures, input)
  const root = Module.root(graph.scope, weights, { compute: place.precision, maxScoreElements: maxScoreElements(place.device) })
  const { imageEmbeds } = clipVision(root, config, pixels)
  if (imageEmbeds === undefined) throw new HalfstepError('internal', `The vision tower of ${model.path} has no projection.`)
  return { graph, embedding: unitLength(graph.scope.at('embedding'), ops.cast(graph.scope, imageEmbeds, 'float32')) }
}

/** Each row of x [n, d] divided by its Euclidean norm. */
function unitLength(g: Scope, x: Value): Value {
  return ops.div(g, x, ops.sqrt(g, ops.sum(g, ops.mul(g, x, x), [1], true)))
}

/** The text tower of a CLIP model: prompts as vectors of length one. No gradient is needed through it, and prompts recur. */
export class TextEmbedder {
  readonly #session: Session
  readonly #tokenizer: ClipTokenizer
  readonly #known = new Map<string, Float32Array>()

  private constructor(session: Session, tokenizer: ClipTokenizer) {
    this.#session = session
    this.#tokenizer = tokenizer
  }

  /** Throws `model.missing-component` without a text tower, `tokenizer.malformed` when the tokenizer does not belong to it. */
  static async create(model: ClipModel, place: RewardPlace): Promise<TextEmbedder> {
    const tokenizer = await model.tokenizer()
    const { config, weights } = textTower(model, tokenizer)
    const { graph } = buildClipText(config, weights, { batch: 1, textLength: tokenizer.modelMaxLength, compute: place.precision })
    return new TextEmbedder(await Session.create(graph, sessionOptions(place)), tokenizer)
  }

  /** [b, d], a row of length one per prompt. */
  async embed(prompts: readonly string[]): Promise<FloatTensor> {
    const rows: Float32Array[] = []
    for (const prompt of prompts) rows.push(await this.#embedOne(prompt))
    const width = rows[0]?.length ?? 0
    const data = new Float32Array(rows.length * width)
    rows.forEach((row, i) => data.set(row, i * width))
    return float32([rows.length, width], data)
  }

  async dispose(): Promise<void> {
    await this.#session.dispose()
  }

  async #embedOne(prompt: string): Promise<Float32Array> {
    const known = this.#known.get(prompt)
    if (known !== undefined) return known
    const ids = this.#tokenizer.encode(prompt)
    const { text_embeds } = await this.#session.run({ input_ids: int64([1, ids.length], ids) }, ['text_embeds'])
    if (text_embeds === undefined) throw new HalfstepError('internal', 'The text tower gave no embedding.')
    const embedding = asUnitVector(toFloat32(text_embeds).data)
    const oldest = this.#known.keys().next()
    if (this.#known.size >= KEPT_PROMPTS && oldest.done !== true) this.#known.delete(oldest.value)
    this.#known.set(prompt, embedding)
    return embedding
  }
}

/** x / ‖x‖ */
export function asUnitVector(x: Float32Array): Float32Array {
  const length = Math.hypot(...x)
  return x.map((value) => value / length)
}

function textTower({ path, text }: ClipModel, tokenizer: ClipTokenizer): Component<ClipTextConfig> {
  if (text?.config.withProjection !== true) {
    const message = `${path} holds no text tower, so it cannot compare pictures with prompts.`
    throw new HalfstepError('model.missing-component', message, 'Use the whole CLIP model.', { file: path })
  }
  if (tokenizer.vocabularySize > text.config.vocabSize) {
    const sizes = `${tokenizer.vocabularySize} tokens, and its text tower knows ${text.config.vocabSize}`
    const message = `The tokenizer of ${path} has ${sizes}.`
    throw new HalfstepError('tokenizer.malformed', message, "Put the model's own tokenizer files beside its weights.", { file: path })
  }
  return text
}
