import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Electron's program where it is on this machine; undefined elsewhere. Nothing is fetched, as asking the package for it would. */
export function findElectron(): string | undefined {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('electron/package.json'))
    const program = join(process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(folder, 'dist'), readFileSync(join(folder, 'path.txt'), 'utf8'))
    return existsSync(program) ? program : undefined
  } catch {
    // The package was left out of the installation, or has fetched no program yet.
    return undefined
  }
}
