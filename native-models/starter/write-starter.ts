import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HalfstepError } from '../../main/engine/errors.ts'
import { formatShape, sameShape } from '../../main/engine/tensor/shape.ts'
import type { FloatTensor, Tensor } from '../../main/engine/tensor/tensor.ts'
import { parseClipTextConfig } from '../checkpoint/clip-text-config.ts'
import { parseUnetConfig } from '../checkpoint/unet-config.ts'
import { parseVaeConfig } from '../checkpoint/vae-config.ts'
import type { Parameter } from '../module.ts'
import { clipTextWeights, unetWeights, vaeWeights } from '../required-weights.ts'
import { writeSafetensors } from '../weights/safetensors.ts'
import { starterConfigs, starterIndex } from './configs.ts'
import { replaceFolder } from './replace-folder.ts'
import { writeTokenizer } from './vocabulary.ts'

/** The trained networks by their folder, each weight under the name diffusers and transformers give it. */
export type StarterComponent = 'unet' | 'vae' | 'text_encoder'
export type StarterWeights = Readonly<Record<StarterComponent, ReadonlyMap<string, FloatTensor>>>

const COMPONENTS = ['unet', 'vae', 'text_encoder'] as const satisfies readonly StarterComponent[]

/** float16's largest number is 65,504; from here on the nearest one is infinity. */
const FLOAT16_OVERFLOW = 65_520

/**
 * Names and shapes of all weights of each network, in the order it uses them.
 * The autoencoder's are those of its encoder (`encoder.`, `quant_conv.`), then those of its decoder.
 */
export function starterParameters(): Readonly<Record<StarterComponent, readonly Parameter[]>> {
  return {
    unet: unetWeights(parseUnetConfig(starterConfigs.unet, 'unet/config.json')),
    vae: vaeWeights(parseVaeConfig(starterConfigs.vae, 'vae/config.json')),
    text_encoder: clipTextWeights(parseClipTextConfig(starterConfigs.text_encoder, 'text_encoder/config.json')),
  }
}

/**
 * Writes the starter model as a diffusers folder, weights in float16. The folder appears whole, in place of an earlier one, or not
 * at all; the same weights give the same bytes.
 *
 * Throws `weights.missing-tensor`, `weights.wrong-shape` and `weights.malformed` for weights that are not those of
 * `starterParameters`, `weights.not-finite` for NaN, infinity and numbers beyond float16, `file.exists` when the folder holds
 * something other than a model, and `file.unwritable`.
 */
export async function writeStarter(folder: string, weights: StarterWeights): Promise<void> {
  const required = starterParameters()
  for (const component of COMPONENTS) requireWeights(component, required[component], weights[component])
  await requireReplaceable(folder)
  await replaceFolder(folder, async (fresh) => {
    for (const component of COMPONENTS) {
      await mkdir(join(fresh, component))
      await writeJson(join(fresh, component, 'config.json'), starterConfigs[component])
      const base = component === 'text_encoder' ? 'model' : 'diffusion_pytorch_model'
      // transformers before 5 asks for this mark.
      await writeSafetensors(join(fresh, component, `${base}.safetensors`), inHalf(component, weights[component]), { format: 'pt' })
    }
    await mkdir(join(fresh, 'scheduler'))
    await writeJson(join(fresh, 'scheduler', 'scheduler_config.json'), starterConfigs.scheduler)
    await writeTokenizer(join(fresh, 'tokenizer'))
    await writeJson(join(fresh, 'model_index.json'), starterIndex)
  })
}

/** What is replaced is removed, so it must be a model. */
async function requireReplaceable(folder: string): Promise<void> {
  const files = await readdir(folder).catch((): string[] => [])
  if (files.length === 0 || files.includes('model_index.json')) return
  const message = `${folder} holds something other than a model, which would be lost.`
  throw new HalfstepError('file.exists', message, 'Choose another folder for the starter model.', { file: folder })
}

/** Exactly the weights that the network has, in their shapes. */
function requireWeights(component: StarterComponent, required: readonly Parameter[], weights: ReadonlyMap<string, FloatTensor>): void {
  for (const { name, shape } of required) {
    const tensor = weights.get(name)
    if (tensor === undefined) throw refused('weights.missing-tensor', component, name, 'is missing')
    if (sameShape(tensor.shape, shape)) continue
    throw refused('weights.wrong-shape', component, name, `has the shape ${formatShape(tensor.shape)} instead of ${formatShape(shape)}`)
  }
  const names = new Set(required.map(({ name }) => name))
  const unknown = [...weights.keys()].find((name) => !names.has(name))
  if (unknown !== undefined) throw refused('weights.malformed', component, unknown, 'is none of its network')
}

function inHalf(component: StarterComponent, weights: ReadonlyMap<string, FloatTensor>): [string, Tensor<'float16'>][] {
  return [...weights].map(([name, { shape, data }]) => {
    const broken = data.find((value) => !(Math.abs(value) < FLOAT16_OVERFLOW))
    if (broken === undefined) return [name, { dtype: 'float16', shape, data: Float16Array.from(data) }]
    throw refused('weights.not-finite', component, name, `holds ${broken}, which float16 has no number for`)
  })
}

function refused(
  code: 'weights.missing-tensor' | 'weights.wrong-shape' | 'weights.malformed' | 'weights.not-finite',
  component: StarterComponent,
  tensor: string,
  fault: string,
): HalfstepError {
  const message = `The starter model cannot be written: the tensor ${tensor} of its ${component} ${fault}.`
  return new HalfstepError(code, message, 'Train the starter model again with the configs it is to be written with.', { component, tensor })
}

async function writeJson(path: string, value: object): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`, { flush: true })
}
