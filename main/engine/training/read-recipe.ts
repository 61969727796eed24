/** Checking JSON against a schema, with the first mistake said in a sentence that names the key and the remedy. */
import { z } from 'zod'
import { HalfstepError } from '../errors.ts'
import { didYouMean } from '../rewards/nearest-name.ts'
import { migrateRecipe } from './migrate-recipe.ts'

/**
 * A recipe as its schema has it, complete with defaults.
 * @param source begins the sentences: the file's name
 * Throws `recipe.malformed` for unknown, missing or mistyped keys, and `recipe.impossible` for numbers out of range.
 */
export function readRecipe<S extends z.ZodType>(schema: S, raw: unknown, source: string): z.output<S> {
  if (!isObject(raw)) throw malformed(`${source} is no recipe: it must be a JSON object.`, 'See the recipe in the documentation.')
  const parsed = schema.safeParse(migrateRecipe(raw, source))
  if (!parsed.success) throw refusal(schema, parsed.error.issues, source)
  return parsed.data
}

export function isObject(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw)
}

export function malformed(message: string, nextStep: string, key = ''): HalfstepError {
  return new HalfstepError('recipe.malformed', message, nextStep, { key })
}

export function impossible(key: string, message: string, nextStep: string): HalfstepError {
  return new HalfstepError('recipe.impossible', message, nextStep, { key })
}

/** The error for the first thing that is wrong; a mistyped key comes before the one that is missing for it. */
function refusal(schema: z.ZodType, issues: readonly z.core.$ZodIssue[], source: string): HalfstepError {
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
  if (issue === undefined) return malformed(`${source} is no recipe.`, '')
  const meant = issue.code === 'invalid_union' ? alternativeMeant(issue) : undefined
  if (meant !== undefined) return refusal(schema, meant, source)
  const key = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const [unknown = ''] = issue.keys
    const full = [...issue.path, unknown].join('.')
    const known = keysAt(jsonSchemaOf(schema), issue.path)
    return malformed(`${source} has the unknown key ${full}.`, didYouMean(unknown, known), full)
  }
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    const bound = issue.code === 'too_small'
      ? `${issue.inclusive === true ? 'at least' : 'more than'} ${issue.minimum}`
      : `${issue.inclusive === true ? 'at most' : 'less than'} ${issue.maximum}`
    const what = issue.origin === 'array' ? ' entries' : ''
    return impossible(key, `${source} has ${key} out of range.`, `Set ${key} to ${bound}${what}.`)
  }
  const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
  if (missing) return malformed(`${source} lacks the key ${key}.`, `Add ${key}.`, key)
  return malformed(`${source} has a wrong ${key}: ${whyOf(issue)}.`, `Correct ${key}.`, key)
}

type UnionIssue = Extract<z.core.$ZodIssue, { code: 'invalid_union' }>

/** What is wrong in the first alternative that fits from outside; undefined where none does. Paths begin at the recipe. */
function alternativeMeant({ errors, path }: UnionIssue): z.core.$ZodIssue[] | undefined {
  const fits = errors.find((issues) => issues.every((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys'))
  return fits?.map((issue) => ({ ...issue, path: [...path, ...issue.path] }))
}

/** `expected number or 'random'` */
function whyOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const expected = issue.errors.flatMap(([first]) => (first === undefined ? [] : whyOf(first).replace(/^expected |, received .*$/g, '')))
    return `expected ${[...new Set(expected)].join(' or ')}`
  }
  return issue.message.replace(/^Invalid (input|option|discriminator value)[:.] /, '').replaceAll('"', '\'')
}

/** As much of JSON Schema as a recipe's has. */
interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
}

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
}

/** Every key that may stand in the object at a path. */
function keysAt(schema: JsonSchema, path: readonly PropertyKey[]): string[] {
  const alternatives = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]
  if (alternatives.length > 0) return [...new Set(alternatives.flatMap((alternative) => keysAt(alternative, path)))]
  const [key, ...rest] = path
  if (key === undefined) return Object.keys(schema.properties ?? {})
  const inner = typeof key === 'number' ? schema.items : schema.properties?.[String(key)]
  return inner === undefined ? [] : keysAt(inner, rest)
}
