/** Where the library keeps what tastes learned, and how rewards name it: the library may be moved, so inside it by relative paths. */
import { isAbsolute, join, relative, sep } from 'node:path'
import type { RecipeJson } from '../../store/runs.ts'
import { TASTES } from '../library/library-listing.ts'

const PATHS = ['path', 'head'] as const

/** The reward as it is kept: what lies in the library's folder of tastes is named from the library on. */
export function keptSpec(spec: RecipeJson, libraryFolder: string): RecipeJson {
  const folder = join(libraryFolder, TASTES) + sep
  return withPaths(spec, (path) => (path.startsWith(folder) ? relative(libraryFolder, path).split(sep).join('/') : path))
}

/** The reward as the engine takes it: every path absolute that `keptSpec` shortened. */
export function usableSpec(spec: RecipeJson, libraryFolder: string): RecipeJson {
  const kept = (path: string): boolean => !isAbsolute(path) && path.startsWith(`${TASTES}/`)
  return withPaths(spec, (path) => (kept(path) ? join(libraryFolder, ...path.split('/')) : path))
}

/** A reward, or every part of a mixture, with its paths changed. */
function withPaths(spec: RecipeJson, change: (path: string) => string): RecipeJson {
  const { parts } = spec
  if (Array.isArray(parts)) return { ...spec, parts: parts.map((part) => (isSpec(part) ? withPaths(part, change) : part)) }
  const changed = PATHS.flatMap((key) => (typeof spec[key] === 'string' ? [[key, change(spec[key])] as const] : []))
  return { ...spec, ...Object.fromEntries(changed) }
}

function isSpec(value: unknown): value is RecipeJson {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
