/// <reference types="vite/client" />
/// <reference types="svelte" />
import type { Bridge } from '../main/ipc/bridge.ts'

declare global {
  interface Window {
    /** Put there by the preload script, or by the page's host where there is none. */
    readonly halfstep: Bridge
  }
}
