import { fileURLToPath } from 'node:url'

/** A file or folder that comes with the program. Both from here and from the bundle, assets/ lies two levels up. */
export function assetPath(name: string): string {
  return unpacked(fileURLToPath(new URL(`../../assets/${name}`, import.meta.url)))
}

/** Where a path inside the package's archive really lies: native code maps files by itself and knows nothing of archives. */
export function unpacked(path: string): string {
  return path.replace(/([\\/])app\.asar(?=[\\/])/, '$1app.asar.unpacked')
}
