import { describe, expect, it } from 'vitest'
import { LORA_METADATA_KEY, readPeft, writePeft } from '../../../main/engine/adapters/peft-format.ts'
import type { Tensor } from '../../../main/engine/tensor/tensor.ts'
import { float32, int64 } from '../../../main/engine/tensor/tensor.ts'
import { byName, randomModule, randomTensor, sd1Adapter, sdxlAdapter } from './example-adapters.ts'

const TO_Q = 'mid_block.attentions.0.transformer_blocks.0.attn1.to_q'
const noMetadata: ReadonlyMap<string, string> = new Map()

/** A pair of weights of rank 2 under the given names. */
function pair(down: string, up: string): Map<string, Tensor> {
  return new Map([
    [down, randomTensor([2, 6], 1)],
    [up, randomTensor([5, 2], 2)],
  ])
}

function peftPair(name: string): Map<string, Tensor> {
  return pair(`${name}.lora_A.weight`, `${name}.lora_B.weight`)
}

function settings(values: unknown): Map<string, string> {
  return new Map([[LORA_METADATA_KEY, JSON.stringify(values)]])
}

/** The alpha that the only module gets from such settings. */
function alphaOf(values: unknown, name = `unet.${TO_Q}`): number | undefined {
  return readPeft('f', peftPair(name), settings(values))[0]?.alpha
}

describe('names of peft and diffusers', () => {
  const unet = { component: 'unet', path: TO_Q }
  const toOut = { component: 'unet', path: TO_Q.replace('to_q', 'to_out.0') }
  const qProj = { component: 'textEncoder', path: 'text_model.encoder.layers.3.self_attn.q_proj' }
  const projection = { component: 'textEncoder2', path: 'text_projection' }
  const flat = 'encoder.layers.3.self_attn'
  const base = 'mid_block.attentions.0.transformer_blocks.0.attn1'
  it.each([
    [`unet.${TO_Q}.lora_A.weight`, `unet.${TO_Q}.lora_B.weight`, unet],
    [`unet.${TO_Q}.lora_A.default.weight`, `unet.${TO_Q}.lora_B.default.weight`, unet],
    [`base_model.model.${TO_Q}.lora_A.weight`, `base_model.model.${TO_Q}.lora_B.weight`, unet],
    [`${TO_Q}.lora_A.weight`, `${TO_Q}.lora_B.weight`, unet],
    [`unet.${TO_Q}.lora.down.weight`, `unet.${TO_Q}.lora.up.weight`, unet],
    [`unet.${base}.processor.to_q_lora.down.weight`, `unet.${base}.processor.to_q_lora.up.weight`, unet],
    [`${base}.processor.to_out_lora.down.weight`, `${base}.processor.to_out_lora.up.weight`, toOut],
    [`unet.${base}.to_out.0.lora.down.weight`, `unet.${base}.to_out.0.lora.up.weight`, toOut],
    [`text_encoder.${qProj.path}.lora_A.weight`, `text_encoder.${qProj.path}.lora_B.weight`, qProj],
    [`text_encoder.${flat}.q_proj.lora_A.weight`, `text_encoder.${flat}.q_proj.lora_B.weight`, qProj],
    [`base_model.model.${qProj.path}.lora_A.weight`, `base_model.model.${qProj.path}.lora_B.weight`, qProj],
    [`text_encoder.${qProj.path}.lora_linear_layer.down.weight`, `text_encoder.${qProj.path}.lora_linear_layer.up.weight`, qProj],
    [`text_encoder.text_model.${flat}.to_q_lora.down.weight`, `text_encoder.text_model.${flat}.to_q_lora.up.weight`, qProj],
    ['text_encoder_2.text_projection.lora_A.weight', 'text_encoder_2.text_projection.lora_B.weight', projection],
  ])('%s is understood', (down, up, expected) => {
    const modules = readPeft('f', pair(down, up), noMetadata)
    expect(modules).toHaveLength(1)
    expect(modules[0]).toMatchObject(expected)
  })

  it.each([
    ['a module that no UNet or text encoder has', peftPair('unet.mid_block.attentions.0.norm'), /norm\.lora_A\.weight/],
    ['a transformer of another architecture', peftPair('transformer.single_transformer_blocks.0.attn.to_q'), /no Stable Diffusion UNet/],
    ['a tensor of another kind', new Map([['unet.conv_in.weight', randomTensor([2, 2], 1)]]), /unet\.conv_in\.weight .*neither/],
    ['a down weight alone', new Map([[`unet.${TO_Q}.lora_A.weight`, randomTensor([2, 6], 1)]]), /the up weight .*missing/],
    ['an alpha alone', new Map([[`unet.${TO_Q}.alpha`, float32([], [1])]]), /alpha .*the down weight/],
    ['a module under two names', new Map([...peftPair(`unet.${TO_Q}`), ...peftPair(TO_Q)]), /says the same as/],
    ['an alpha of two numbers', new Map([...peftPair(TO_Q), [`${TO_Q}.alpha`, float32([2], [1, 2])]]), /single number/],
    ['integers', new Map<string, Tensor>([...peftPair(TO_Q), [`${TO_Q}.alpha`, int64([], [1])]]), /stored as int64/],
  ])('%s is refused, naming the file and the key', (_, tensors, cause) => {
    expect(() => readPeft('f.safetensors', tensors, noMetadata)).toThrow(cause)
    expect(() => readPeft('f.safetensors', tensors, noMetadata)).toThrow(/^f\.safetensors/)
  })
})

describe('alpha', () => {
  it('equals the rank where nothing says otherwise', () => {
    expect(readPeft('f', peftPair(TO_Q), noMetadata)[0]?.alpha).toBe(2)
    expect(alphaOf({ 'text_encoder.lora_alpha': 5 })).toBe(2)
  })

  it('comes from an alpha tensor before anything else', () => {
    const tensors = new Map<string, Tensor>([...peftPair(`unet.${TO_Q}`), [`unet.${TO_Q}.alpha`, float32([1], [7])]])
    expect(readPeft('f', tensors, settings({ 'unet.lora_alpha': 5 }))[0]?.alpha).toBe(7)
  })

  it('comes from the settings of its component', () => {
    expect(alphaOf({ 'unet.lora_alpha': 5, 'text_encoder.lora_alpha': 6 })).toBe(5)
    expect(alphaOf({ 'text_encoder.lora_alpha': 5, 'text_encoder_2.lora_alpha': 6 }, 'text_encoder_2.text_projection')).toBe(6)
  })

  it('comes from settings without a prefix in a file of one network', () => {
    expect(alphaOf({ r: 2, lora_alpha: 5 }, TO_Q)).toBe(5)
  })

  it('comes from adapter_config.json when the header has none', () => {
    expect(readPeft('f', peftPair(`base_model.model.${TO_Q}`), noMetadata, { lora_alpha: 5 })[0]?.alpha).toBe(5)
  })

  it('is peft’s default 8 in settings that do not set it', () => {
    expect(alphaOf({ 'unet.r': 2 })).toBe(8)
  })

  it.each([TO_Q, `^${TO_Q}`, 'attn1.to_q'])('comes from alpha_pattern when its key %s names the module', (key) => {
    expect(alphaOf({ 'unet.lora_alpha': 5, 'unet.alpha_pattern': { [key]: 3 } })).toBe(3)
  })

  it.each(['ttn1.to_q', '^attn1.to_q', 'attn1.to_k'])('does not come from alpha_pattern when its key %s names another', (key) => {
    expect(alphaOf({ 'unet.lora_alpha': 5, 'unet.alpha_pattern': { [key]: 3 } })).toBe(5)
  })

  it('grows by √r under rank-stabilised scaling, which divides by √r', () => {
    expect(alphaOf({ 'unet.lora_alpha': 5, 'unet.use_rslora': true })).toBeCloseTo(5 * Math.SQRT2)
  })

  it.each<[string, unknown, RegExp]>([
    ['with a regular expression in alpha_pattern', { 'unet.alpha_pattern': { '(a+)+$': 3 } }, /\(a\+\)\+\$/],
    ['with an alpha that is no number', { 'unet.lora_alpha': 'big' }, /lora_alpha/],
    ['that are a list', [], /not an object/],
    ['of a DoRA', { 'unet.lora_alpha': 1, 'unet.use_dora': true }, /DoRA/],
  ])('settings %s are refused', (_, values, cause) => {
    expect(() => alphaOf(values)).toThrow(cause)
  })

  it('settings that are not JSON are refused', () => {
    expect(() => readPeft('f', peftPair(TO_Q), new Map([[LORA_METADATA_KEY, '{']]))).toThrow(/not valid JSON/)
  })
})

describe('writing', () => {
  it.each([
    ['SD 1.x', sd1Adapter({ rank: 3, alpha: 1.5 })],
    ['SDXL', sdxlAdapter()],
  ])('gives what reading understands for %s', (_, adapter) => {
    const { tensors, metadata } = writePeft(adapter)
    const modules = readPeft('f', new Map(tensors), new Map(Object.entries(metadata)))
    expect(byName({ modules, metadata: {} })).toEqual(byName(adapter))
  })

  it('keeps ranks and alphas that differ from module to module', () => {
    const modules = [
      randomModule('unet', TO_Q, [4, 4], { rank: 2, alpha: 1 }),
      randomModule('unet', TO_Q.replace('to_q', 'to_k'), [4, 4], { rank: 3, alpha: 0.1 }),
      randomModule('textEncoder', 'text_model.encoder.layers.1.mlp.fc1', [4, 4], { rank: 1, alpha: 9 }),
      randomModule('textEncoder', 'text_model.encoder.layers.11.mlp.fc1', [4, 4], { rank: 5, alpha: 4 }),
    ]
    const { tensors, metadata } = writePeft({ modules, metadata: {} })
    const read = readPeft('f', new Map(tensors), new Map(Object.entries(metadata)))
    expect(byName({ modules: read, metadata: {} })).toEqual(byName({ modules, metadata: {} }))
  })

  it('states the settings that diffusers hands to peft, text encoders without “text_model.”', () => {
    const modules = [
      randomModule('unet', 'conv_in', [4, 4], { rank: 2, alpha: 1 }),
      randomModule('unet', 'conv_out', [4, 4], { rank: 2, alpha: 1 }),
      randomModule('unet', TO_Q, [4, 4], { rank: 3, alpha: 2 }),
      randomModule('textEncoder', 'text_model.encoder.layers.1.mlp.fc1', [4, 4], { rank: 4 }),
    ]
    expect(JSON.parse(writePeft({ modules, metadata: {} }).metadata[LORA_METADATA_KEY] ?? '')).toEqual({
      'unet.peft_type': 'LORA',
      'unet.r': 2,
      'unet.lora_alpha': 1,
      'unet.rank_pattern': { [TO_Q]: 3 },
      'unet.alpha_pattern': { [TO_Q]: 2 },
      'unet.target_modules': ['conv_in', 'conv_out', TO_Q],
      'text_encoder.peft_type': 'LORA',
      'text_encoder.r': 4,
      'text_encoder.lora_alpha': 4,
      'text_encoder.rank_pattern': {},
      'text_encoder.alpha_pattern': {},
      'text_encoder.target_modules': ['encoder.layers.1.mlp.fc1'],
    })
  })
})
