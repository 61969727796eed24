import { HalfstepError } from '../../main/engine/errors.ts'
import type { WeightSource } from '../weights/weight-source.ts'

interface Kind {
  readonly mark: RegExp
  readonly what: string
  readonly nextStep: string
}

/** Files that are easily mistaken for a model, and architectures that are none of ours; the first match counts. */
const KINDS: readonly Kind[] = [
  {
    mark: /(^|\.)(lora_(unet|te\d?|transformer)_|lora_[AB]\.|lora_(down|up)\.|lora\.(down|up)\.|hada_w1|lokr_w1)/,
    what: 'a LoRA or another adapter, not a model',
    nextStep: 'Open the model it was made for, and add this file to it as an adapter.',
  },
  {
    mark: /(^|\.)(double_blocks|joint_blocks|single_transformer_blocks)\./,
    what: 'a diffusion transformer (Stable Diffusion 3, Flux or the like), which Halfstep cannot run',
    nextStep: 'Use a Stable Diffusion 1.x, 2.x or XL model.',
  },
  {
    mark: /^(control_model|controlnet_cond_embedding|input_hint_block)\./,
    what: 'a ControlNet, not a model',
    nextStep: 'Use a Stable Diffusion 1.x, 2.x or XL model.',
  },
  {
    mark: /^(down_blocks\.\d+\.(resnets|attentions)|encoder\.(down_blocks|down)|(text_model\.)?encoder\.layers)\./,
    what: 'one network of a model only',
    nextStep: 'Open the folder of the whole model instead, the one with model_index.json in it.',
  },
  {
    mark: /^(emb_params|string_to_param|clip_[gl])$/,
    what: 'a textual-inversion embedding, not a model',
    nextStep: 'Open a Stable Diffusion 1.x, 2.x or XL model.',
  },
]

/** Throws `model.unknown-family` for a safetensors file that shows itself to be something else than a model of ours. */
export function refuseOtherFiles(file: WeightSource): void {
  const kind = KINDS.find(({ mark }) => file.names().some((name) => mark.test(name)))
  if (kind !== undefined) throw unknownFile(file, kind.what, kind.nextStep)
}

export function unknownFile(file: WeightSource, what: string, nextStep: string): HalfstepError {
  return new HalfstepError('model.unknown-family', `${file.description} holds ${what}.`, nextStep, { file: file.description })
}
