import { HalfstepError } from '../engine/errors.ts'
import { RecipeJson } from '../store/runs.ts'

/** More than anyone writes by hand. */
const DEEPEST = 64

/**
 * An object from JSON that came from elsewhere. Throws `config.malformed` for what is no JSON object, is nested beyond reason, or
 * has keys that objects do not take.
 * @param name of where it came from, for messages
 */
export function parseJsonObject(text: string, name: string): RecipeJson {
  const value = parsed(text, name)
  const fault = faultIn(value, 0)
  if (fault !== undefined) throw malformed(`${name} ${fault}.`)
  const object = RecipeJson.safeParse(value)
  if (!object.success || Array.isArray(value)) throw malformed(`${name} is no JSON object.`)
  return object.data
}

function parsed(text: string, name: string): unknown {
  try {
    // A mark that some editors write at the beginning of a file.
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw malformed(`${name} is no JSON: ${error instanceof Error ? error.message : String(error)}.`)
  }
}

function faultIn(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (depth > DEEPEST) return 'is nested too deeply'
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__') return 'has the key __proto__'
    const fault = faultIn(inner, depth + 1)
    if (fault !== undefined) return fault
  }
  return undefined
}

function malformed(message: string): HalfstepError {
  return new HalfstepError('config.malformed', message, 'Choose another file, or correct it in a text editor.')
}
