import type { Bridge } from '../../main/ipc/bridge.ts'
import type { FileKind } from '../../main/ipc/contract.ts'

/** What a person is to choose. */
export interface FileWish {
  readonly title: string
  readonly pick: 'file' | 'files' | 'folder' | 'file-or-folder'
  /** The files that are offered. */
  readonly kinds: readonly FileKind[]
  /** Where to begin: a file or folder; empty for where the person last was. */
  readonly at?: string
}

/** Choosing files: with the system's dialog where the host has one, else with the app's own, which shows `wish` and calls `finish`. */
export class FileChooser {
  readonly #bridge: Bridge
  readonly #native: () => boolean
  #wish = $state.raw<FileWish>()
  #settle: ((paths: readonly string[]) => void) | undefined
  /** Where the last choice was made. */
  #folder = ''

  /** @param native whether the host has dialogs, as far as is known */
  constructor(bridge: Bridge, native: () => boolean) {
    this.#bridge = bridge
    this.#native = native
  }

  /** Whether the system's dialogs are used; they offer either files or folders, never both at once. */
  get native(): boolean {
    return this.#native()
  }

  /** What the app's own dialog is to ask for; undefined while it is closed. */
  get wish(): FileWish | undefined {
    return this.#wish
  }

  /** Where to begin when a wish does not say. */
  get folder(): string {
    return this.#folder
  }

  /** The absolute paths that were chosen; none when the person changed their mind. Throws nothing: a dialog that fails chooses nothing. */
  async choose(wish: FileWish): Promise<readonly string[]> {
    if (this.#native()) return this.#ask(wish)
    this.finish([])
    const { promise, resolve } = Promise.withResolvers<readonly string[]>()
    this.#settle = resolve
    this.#wish = wish
    return promise
  }

  /** Where to write a file, by the system's dialog; undefined when the person changed their mind. @param name proposed */
  async chooseTarget(title: string, name: string, kinds: readonly FileKind[]): Promise<string | undefined> {
    const reply = await this.#bridge.call('files.choose', { pick: 'save', title, kinds: [...kinds], at: name })
    return reply.ok ? reply.value.paths[0] : undefined
  }

  /** Closes the app's own dialog. @param folder that was shown */
  finish(paths: readonly string[], folder?: string): void {
    if (folder !== undefined && paths.length > 0) this.#folder = folder
    this.#settle?.(paths)
    this.#settle = undefined
    this.#wish = undefined
  }

  async #ask({ title, pick, kinds, at = '' }: FileWish): Promise<readonly string[]> {
    const reply = await this.#bridge.call('files.choose', {
      pick: pick === 'file-or-folder' ? 'file' : pick, title, kinds: [...kinds], at: at === '' ? null : at,
    })
    return reply.ok ? reply.value.paths : []
  }
}
