/** Puts services, router and local host together: what `main/index.ts` is for the window, this is for the browser. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { HalfstepError } from '../engine/errors.ts'
import type { ProcessLauncher } from '../engine/process/launcher.ts'
import { createHandlers } from '../ipc/handlers.ts'
import { createRouter } from '../ipc/router.ts'
import { engineIn } from '../services/engine.ts'
import { openServices } from '../services/services.ts'
import { answerLibraryFile } from './library-pages.ts'
import { LocalHost } from './local.ts'

/** The built pages. Both from this folder and from the bundled programs (out/cli, out/chunks), out/ lies two levels up. */
const PAGES = fileURLToPath(new URL('../../out/renderer/', import.meta.url))

export interface ServeOptions {
  /** Starts the engine's process. */
  readonly launch: ProcessLauncher
  /** The library folder; the usual one when left out. */
  readonly library?: string | undefined
  /** A free one when left out. */
  readonly port?: number | undefined
}

/** The app, being served. */
export interface Serving {
  readonly libraryFolder: string
  /** An address that opens the app in one browser, once. */
  openingAddress(): string
  close(): Promise<void>
}

/**
 * Serves the app on loopback. Throws `file.missing` where the pages were not built, `host.port`, and what opening and starting a
 * library throw.
 */
export async function serve({ launch, library, port }: ServeOptions): Promise<Serving> {
  if (!existsSync(PAGES)) {
    const nextStep = 'Build them with `npm run build`.'
    throw new HalfstepError('file.missing', `The pages of the app are not in ${PAGES}.`, nextStep, { path: PAGES })
  }
  const services = openServices(engineIn(launch), library)
  const host = new LocalHost({
    pages: PAGES,
    libraryFiles: (method, path) => answerLibraryFile(method, path, services.app.libraryFolder),
    receiveFile: (file, body) => services.uploads.receive(file, body),
  })
  try {
    services.start()
    await host.listen(createRouter(createHandlers(services, host.broadcast)), port)
  } catch (error) {
    services.close()
    throw error
  }
  return {
    libraryFolder: services.app.libraryFolder,
    openingAddress: () => host.openingAddress(),
    async close() {
      await host.close()
      services.close()
    },
  }
}
