/**
 * CLIP's tokenizer: text to the token ids a text encoder takes, and back for messages.
 *
 * The byte-pair encoding itself is @huggingface/tokenizers; the pipeline it is given here is the one of CLIPTokenizer in
 * transformers 5: NFC, runs of white space collapsed, lower case, words and punctuation apart, byte-level BPE. One text
 * is known to come out differently: a special token in capitals with nothing around it is taken for that token.
 */
import { Tokenizer } from '@huggingface/tokenizers'
import { END_OF_WORD } from './clip-vocabulary.ts'
import { readTokenizerFolder, standardTokenizerConfig, type ClipTokenizerConfig } from './tokenizer-config.ts'

export class ClipTokenizer {
  readonly modelMaxLength: number
  readonly bosId: number
  readonly eosId: number
  readonly padId: number
  /** Number of tokens, added ones included: what the text encoder's embedding must have rows for. */
  readonly vocabularySize: number
  readonly #tokenizer: Tokenizer

  /** Every special token must be among the added tokens. */
  constructor(config: ClipTokenizerConfig) {
    this.#tokenizer = new Tokenizer(tokenizerJson(config), { clean_up_tokenization_spaces: true })
    this.modelMaxLength = config.modelMaxLength
    this.bosId = this.#idOf(config.bosToken)
    this.eosId = this.#idOf(config.eosToken)
    this.padId = this.#idOf(config.padToken)
    this.vocabularySize = this.#tokenizer.get_vocab().size
  }

  /**
   * The tokenizer of a model folder's `tokenizer` folder: `vocab.json` and `merges.txt`, or `tokenizer.json`, with the
   * special tokens of `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` where they exist.
   *
   * Throws `tokenizer.malformed`, naming the file and the cause.
   */
  static async fromFolder(folder: string): Promise<ClipTokenizer> {
    return new ClipTokenizer(await readTokenizerFolder(folder))
  }

  /**
   * The standard CLIP tokenizer, for single files that carry none. `padToken` is `!` for SD 2.x and for SDXL's second
   * text encoder; as in their own tokenizers, a `!` in the text is then id 0 too.
   */
  static async standard(options: { readonly padToken?: string } = {}): Promise<ClipTokenizer> {
    return new ClipTokenizer(await standardTokenizerConfig(options.padToken))
  }

  /** Exactly `modelMaxLength` ids: start, the text as far as it fits, end, padding. */
  encode(text: string): number[] {
    const words = this.tokenIds(text).slice(0, this.modelMaxLength - 2)
    const ids = [this.bosId, ...words, this.eosId]
    return [...ids, ...new Array<number>(this.modelMaxLength - ids.length).fill(this.padId)]
  }

  /** The ids of the text alone, not cut or padded: its length says how much of a prompt is lost. */
  tokenIds(text: string): number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids
  }

  /** Readable text of ids, without start, end and padding; lower case, and spaces only where they read well. */
  decode(ids: readonly number[]): string {
    return ids.length === 0 ? '' : this.#tokenizer.decode([...ids], { skip_special_tokens: true })
  }

  #idOf(token: string): number {
    const id = this.#tokenizer.token_to_id(token)
    if (id === undefined) throw new RangeError(`the special token ${token} is not among the added tokens`)
    return id
  }
}

// A start or end token that is not matched as such still ends a run of punctuation, as in the reference.
const SPECIALS = '<\\|startoftext\\|>|<\\|endoftext\\|>'
const WORDS = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"

/** The pipeline of transformers' CLIPTokenizer in the form of a tokenizer.json. */
function tokenizerJson(config: ClipTokenizerConfig): object {
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        // JavaScript lower-cases a word's last Σ to ς; the reference goes character by character and always takes σ.
        { type: 'Replace', pattern: { String: 'Σ' }, content: 'σ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: `${SPECIALS}|${WORDS}` }, behavior: 'Removed', invert: true },
        // The reference splits again in its byte-level step. The library's own expression there takes U+FEFF for white
        // space, so the step is spelt out: it only ever takes start and end tokens apart.
        { type: 'Split', pattern: { Regex: WORDS }, behavior: 'Removed', invert: true },
        { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
      ],
    },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(config.bpe.vocab),
      merges: config.bpe.merges,
      unk_token: config.unkToken,
      end_of_word_suffix: END_OF_WORD,
      fuse_unk: false,
    },
    added_tokens: config.addedTokens,
    decoder: { type: 'ByteLevel' },
    post_processor: null,
  }
}
