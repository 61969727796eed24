/// <reference types="vite/client" />
/// <reference types="svelte" />
import type { Bridge, PathsOfFiles } from '../main/ipc/bridge.ts'

declare global {
  interface Window {
    /** Put there by the preload script; a browser has none, and the local bridge takes its place. */
    readonly halfstep?: Bridge & PathsOfFiles<File>
  }
}
