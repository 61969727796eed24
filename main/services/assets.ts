import { fileURLToPath } from 'node:url'

/** A file or folder that comes with the program. Both from here and from the bundle, assets/ lies two levels up. */
export function assetPath(name: string): string {
  return fileURLToPath(new URL(`../../assets/${name}`, import.meta.url))
}
