import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { HalfstepError } from '../../main/engine/errors.ts'
import { ClipTokenizer } from '../tokenizer/clip-tokenizer.ts'
import { isTokenizerFolder } from '../tokenizer/tokenizer-folder.ts'
import { readJson } from '../weights/json-file.ts'
import { openSafetensors } from '../weights/safetensors.ts'
import type { WeightEntry, WeightSource } from '../weights/weight-source.ts'
import { canonicalImageEncoder, canonicalTextEncoder } from './canonical-names.ts'
import type { Component } from './checkpoint.ts'
import { parseClipTextConfig, type ClipTextConfig } from './clip-text-config.ts'
import { parseClipVisionConfig, type ClipVisionConfig } from './clip-vision-config.ts'
import { openWeights } from './diffusers-folder.ts'
import { mapOpenClipVision } from './open-clip-vision.ts'
import { mapOpenClipWithProjection } from './single-file-clip.ts'

/** A CLIP model of two towers (Radford et al. 2021) that embed into one space, or the vision tower alone. */
export interface ClipModel {
  /** Absolute path of the folder or file. */
  readonly path: string
  /** With its projection. */
  readonly vision: Component<ClipVisionConfig>
  /** With its projection; absent when only a vision tower is stored. */
  readonly text?: Component<ClipTextConfig>
  /** The logarithm of the factor that turns cosines into logits, one number. */
  readonly logitScale?: WeightEntry
  /** The tokenizer beside the weights, else CLIP's standard one. */
  tokenizer(): Promise<ClipTokenizer>
}

/**
 * Opens a CLIP model: a folder as transformers saves it (CLIPModel, or CLIPVisionModelWithProjection), its .safetensors file with
 * config.json beside it, or a .safetensors file in OpenCLIP's layout (`visual.…`), whose towers are taken to have exact gelu, as those
 * trained by OpenCLIP have. Nothing is loaded yet.
 *
 * Throws `file.*`, `config.*` and `weights.*` as the readers do, and `model.missing-component` when there is no vision tower that
 * projects.
 */
export async function openClipModel(path: string): Promise<ClipModel> {
  const absolute = resolve(path)
  const found = await stat(absolute).catch(() => undefined)
  if (found === undefined) {
    const nextStep = 'Check the path, or download the model again.'
    throw new HalfstepError('file.missing', `${absolute} does not exist.`, nextStep, { file: absolute })
  }
  const folder = found.isDirectory() ? absolute : dirname(absolute)
  const weights = found.isDirectory() ? await openWeights(absolute, 'model') : await openSafetensors(absolute)
  const towers = weights.find('visual.conv1.weight') === undefined ? await transformersTowers(weights, folder) : openClipTowers(weights)
  if (!towers.vision.config.withProjection) throw noProjection(absolute)
  const logitScale = weights.find('logit_scale')
  return { path: absolute, ...towers, ...(logitScale && { logitScale }), tokenizer: () => tokenizerIn(folder) }
}

type Towers = Pick<ClipModel, 'vision' | 'text'>

async function transformersTowers(weights: WeightSource, folder: string): Promise<Towers> {
  const file = join(folder, 'config.json')
  const raw = await readJson(file)
  const vision = canonicalImageEncoder(weights)
  const text = canonicalTextEncoder(weights)
  const visionConfig = parseClipVisionConfig(raw, file, vision.find('visual_projection.weight') !== undefined)
  const hasText = text.find('text_model.embeddings.token_embedding.weight') !== undefined
  return {
    vision: { config: visionConfig, weights: vision },
    ...(hasText && { text: { config: parseClipTextConfig(raw, file, text.find('text_projection.weight') !== undefined), weights: text } }),
  }
}

function openClipTowers(weights: WeightSource): Towers {
  const vision = mapOpenClipVision(weights)
  const towers = { vision: { config: parseClipVisionConfig(vision.config, weights.description), weights: vision.weights } }
  if (weights.find('token_embedding.weight') === undefined) return towers
  const text = mapOpenClipWithProjection(weights)
  return { ...towers, text: { config: parseClipTextConfig(text.config, weights.description), weights: text.weights } }
}

/** CLIP pools at the first end token and attends to nothing after it, so how a tokenizer pads makes no difference. */
async function tokenizerIn(folder: string): Promise<ClipTokenizer> {
  return (await isTokenizerFolder(folder)) ? ClipTokenizer.fromFolder(folder) : ClipTokenizer.standard()
}

function noProjection(file: string): HalfstepError {
  const message = `${file} holds a vision tower without its projection, so its pictures have no place among texts.`
  return new HalfstepError('model.missing-component', message, 'Use the whole CLIP model.', { file })
}
