/** What tells one CLIP tokenizer from another, and how a `tokenizer` folder of transformers or diffusers says it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { wordsForDiskFault } from '../../main/engine/disk-fault.ts'
import { HalfstepError } from '../../main/engine/errors.ts'
import {
  CLIP_POSITIONS,
  END_OF_TEXT,
  START_OF_TEXT,
  parseMerges,
  standardClipVocabulary,
  type BpeVocabulary,
} from './clip-vocabulary.ts'

/** A token that is found in the text before it is split into words. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Looked for in the lower-cased text instead of the text as written. */
  readonly normalized: boolean
  /** Left out when decoding: start, end and padding. */
  readonly special: boolean
}

export interface ClipTokenizerConfig {
  readonly bpe: BpeVocabulary
  readonly bosToken: string
  readonly eosToken: string
  readonly unkToken: string
  /** `<|endoftext|>` in SD 1.x; `!` (id 0) in SD 2.x and in SDXL's second tokenizer. */
  readonly padToken: string
  readonly modelMaxLength: number
  /** The special tokens among them. */
  readonly addedTokens: readonly AddedToken[]
}

const TokenId = z.int().min(0).max(2 ** 24)
const Vocab = z.record(z.string(), TokenId)
const DeclaredToken = z.object({
  content: z.string().min(1),
  normalized: z.boolean().default(false),
  special: z.boolean().default(false),
})
const RoleToken = z.union([
  z.string().transform((content) => ({ content, normalized: false })),
  z.object({ content: z.string(), normalized: z.boolean().default(false) }),
])
/** The special tokens by role; tokenizer_config.json and special_tokens_map.json both have them. */
const Roles = z.object({
  bos_token: RoleToken.nullish(),
  eos_token: RoleToken.nullish(),
  unk_token: RoleToken.nullish(),
  pad_token: RoleToken.nullish(),
})
const ConfigFile = Roles.extend({
  model_max_length: z.number().min(3).default(CLIP_POSITIONS),
  added_tokens_decoder: z.record(z.string().regex(/^\d+$/), DeclaredToken).optional(),
})
const TokenizerFile = z.object({
  model: z.object({
    vocab: Vocab,
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  }),
  added_tokens: z.array(DeclaredToken.extend({ id: TokenId })).default([]),
})

const ROLES = ['bos_token', 'eos_token', 'unk_token', 'pad_token'] as const
type RoleTokens = Record<(typeof ROLES)[number], z.infer<typeof RoleToken>>

/** The configuration of the standard CLIP tokenizer, with the given padding token. */
export async function standardTokenizerConfig(padToken = END_OF_TEXT): Promise<ClipTokenizerConfig> {
  const roles = rolesFrom({ pad_token: { content: padToken, normalized: false } })
  return assemble('standard CLIP tokenizer', await standardClipVocabulary(), roles, [], CLIP_POSITIONS)
}

/**
 * The configuration of the CLIP tokenizer in `folder`, with transformers' precedence: `added_tokens_decoder` of
 * tokenizer_config.json settles everything; without it, special_tokens_map.json overrides tokenizer_config.json, and
 * added_tokens.json and tokenizer.json add their tokens.
 *
 * Throws `tokenizer.malformed`, naming the file and the cause.
 */
export async function readTokenizerFolder(folder: string): Promise<ClipTokenizerConfig> {
  const config = (await readJson(join(folder, 'tokenizer_config.json'), ConfigFile)) ?? ConfigFile.parse({})
  const tokenizer = await readJson(join(folder, 'tokenizer.json'), TokenizerFile)
  const bpe = tokenizer ? bpeOf(tokenizer, join(folder, 'tokenizer.json')) : await readVocabAndMerges(folder)
  if (config.added_tokens_decoder) {
    const added = Object.entries(config.added_tokens_decoder).map(([id, token]) => ({ id: Number(id), ...token }))
    return assemble(folder, bpe, rolesFrom(config), added, config.model_max_length)
  }
  const map = (await readJson(join(folder, 'special_tokens_map.json'), Roles)) ?? {}
  const roles = rolesFrom(config, map)
  const added = await readAddedTokens(folder, roles, tokenizer?.added_tokens ?? [])
  return assemble(folder, bpe, roles, added, config.model_max_length)
}

function assemble(
  source: string,
  bpe: BpeVocabulary,
  roles: RoleTokens,
  added: readonly AddedToken[],
  maxLength: number,
): ClipTokenizerConfig {
  return {
    bpe,
    bosToken: roles.bos_token.content,
    eosToken: roles.eos_token.content,
    unkToken: roles.unk_token.content,
    padToken: roles.pad_token.content,
    // A tokenizer without a limit stores a huge number (10³⁰).
    modelMaxLength: maxLength <= 65536 ? Math.floor(maxLength) : CLIP_POSITIONS,
    addedTokens: [...added, ...undeclaredSpecials(source, bpe, roles, added)],
  }
}

/** The special tokens that no list of added tokens declares: they take their id from the vocabulary. */
function undeclaredSpecials(source: string, bpe: BpeVocabulary, roles: RoleTokens, added: readonly AddedToken[]): AddedToken[] {
  const specials = new Map<string, AddedToken>()
  for (const role of ROLES) {
    const { content, normalized } = roles[role]
    if (added.some((token) => token.content === content)) continue
    const id = bpe.vocab.get(content)
    if (id === undefined) throw malformed(source, `its ${role} ${JSON.stringify(content)} is not in the vocabulary`)
    specials.set(content, { id, content, normalized, special: true })
  }
  return [...specials.values()]
}

/** The roles as the last file that names each has them, else CLIP's own. */
function rolesFrom(...files: z.infer<typeof Roles>[]): RoleTokens {
  const last = (role: keyof RoleTokens, standard: string) =>
    files.reduce((token, file) => file[role] ?? token, { content: standard, normalized: false })
  return {
    bos_token: last('bos_token', START_OF_TEXT),
    eos_token: last('eos_token', END_OF_TEXT),
    unk_token: last('unk_token', END_OF_TEXT),
    pad_token: last('pad_token', END_OF_TEXT),
  }
}

/** Tokens of added_tokens.json (`{token: id}`), replaced by those of the same text in tokenizer.json. */
async function readAddedTokens(folder: string, roles: RoleTokens, listed: readonly AddedToken[]): Promise<AddedToken[]> {
  const file = (await readJson(join(folder, 'added_tokens.json'), Vocab)) ?? {}
  const tokens = new Map<string, AddedToken>()
  for (const [content, id] of Object.entries(file)) {
    const special = ROLES.some((role) => roles[role].content === content)
    tokens.set(content, { id, content, normalized: !special, special })
  }
  for (const token of listed) tokens.set(token.content, token)
  return [...tokens.values()]
}

async function readVocabAndMerges(folder: string): Promise<BpeVocabulary> {
  const vocab = await readJson(join(folder, 'vocab.json'), Vocab)
  if (!vocab) throw malformed(folder, 'it holds neither vocab.json nor tokenizer.json')
  const merges = await readText(join(folder, 'merges.txt'))
  if (merges === undefined) throw malformed(folder, 'it holds vocab.json but not merges.txt')
  return checked({ vocab: new Map(Object.entries(vocab)), merges: parseMerges(merges) }, join(folder, 'merges.txt'))
}

function bpeOf(file: z.infer<typeof TokenizerFile>, path: string): BpeVocabulary {
  const merges = file.model.merges.flatMap((pair) => (typeof pair === 'string' ? parseMerges(pair) : [pair]))
  return checked({ vocab: new Map(Object.entries(file.model.vocab)), merges }, path)
}

/** Every merge must lead to a token, or a text could come out with ids that mean nothing. */
function checked(bpe: BpeVocabulary, path: string): BpeVocabulary {
  for (const [left, right] of bpe.merges) {
    const missing = [left, right, left + right].find((symbol) => !bpe.vocab.has(symbol))
    if (missing !== undefined) {
      throw malformed(path, `the merge "${left} ${right}" needs the token "${missing}", which the vocabulary lacks`)
    }
  }
  return bpe
}

/** The file's content as `schema` describes it; undefined when there is no such file. */
async function readJson<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S> | undefined> {
  const text = await readText(path)
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw malformed(path, `it is not valid JSON (${error instanceof Error ? error.message : String(error)})`)
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw malformed(path, `${issue?.path.join('.') || 'its content'} is not what a tokenizer has there (${issue?.message ?? ''})`)
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
    throw malformed(path, `it cannot be read (${wordsForDiskFault(error)})`)
  }
}

function malformed(path: string, cause: string): HalfstepError {
  return new HalfstepError(
    'tokenizer.malformed',
    `The tokenizer at ${path} cannot be used: ${cause}.`,
    'Take the tokenizer folder from the original model again, or remove it to use the standard CLIP tokenizer.',
    { path },
  )
}
