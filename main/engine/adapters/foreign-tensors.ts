/** Recognises adapters of other kinds than LoRA, so that they are refused by name and never loaded in part. */
import { HalfstepError } from '../errors.ts'

const FOREIGN: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [/\.hada_(w[12]_[ab]|t[12])$/, 'LoHa (Hadamard product) weights'],
  [/\.lokr_(w[12](_[ab])?|t2)$/, 'LoKr (Kronecker product) weights'],
  [/\.(dora_scale|lora_magnitude_vector(\..+)?)$/, 'DoRA (weight-decomposed) weights'],
  [/(^|\.)(oft_|boft_)/, 'OFT (orthogonal fine-tuning) weights'],
  [/\.lora_mid\.weight$/, 'LoCon middle (Tucker) weights'],
  [/\.(lora_[AB](\.\w+)?|lora_down|lora_up|lora\.(down|up))\.bias$|\.bias_(indices|values|size)$/, 'LoRA bias terms'],
  [/\.lora_embedding_[AB]/, 'LoRA weights of a token embedding'],
  [/\.(diff|diff_b|set_weight)$/, 'full weight differences'],
  [/\.(w_norm|b_norm)$/, 'normalisation weights'],
  [/\.(on_input|ia3_l(\.\w+)?)$/, 'IA³ weights'],
  [/\.[ab][12]\.weight$/, 'GLoRA weights'],
  [/(^|\.)vera_lambda_/, 'VeRA weights'],
  [/^bundle_emb\./, 'bundled textual inversion embeddings'],
]

/** Throws `adapter.unsupported`, naming file, key and kind, if any tensor is of such a kind. */
export function refuseForeignTensors(source: string, keys: Iterable<string>): void {
  for (const key of keys) {
    const kind = FOREIGN.find(([pattern]) => pattern.test(key))?.[1]
    if (kind === undefined) continue
    throw new HalfstepError(
      'adapter.unsupported',
      `${source} holds ${kind} (${key}), which Halfstep does not apply.`,
      'Use a plain LoRA, or convert the adapter to one with the tool that made it.',
      { file: source, key, kind },
    )
  }
}
