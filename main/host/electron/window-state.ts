/** Where the window was when it was closed, and where it appears again: displays may have gone meanwhile. */
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'

/** In the system's own pixels, as Electron counts them. */
export interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

const WindowState = z.strictObject({
  x: z.int(), y: z.int(), width: z.int().positive(), height: z.int().positive(), maximized: z.boolean(),
})
export type WindowState = z.infer<typeof WindowState>

/** What a new window is opened with; without x and y the system centres it. */
export interface WindowPlace {
  readonly x?: number
  readonly y?: number
  readonly width: number
  readonly height: number
  readonly maximized: boolean
}

/** Every page works in this much room. */
export const LEAST_SIZE = { width: 1024, height: 700 }
const USUAL_PLACE: WindowPlace = { width: 1280, height: 840, maximized: false }
/** So much of the window's top edge must be on a display for a person to take hold of it. */
const GRIP = { width: 160, height: 40 }

/**
 * The place of a window that was left at `kept`: there again where its title bar can still be reached, else in the middle.
 * @param displays the parts of the displays that windows may cover
 */
export function windowPlace(kept: WindowState | undefined, displays: readonly Rectangle[]): WindowPlace {
  if (kept === undefined) return USUAL_PLACE
  const { x, y, maximized } = kept
  const width = Math.max(kept.width, LEAST_SIZE.width)
  const height = Math.max(kept.height, LEAST_SIZE.height)
  const size = { width, height, maximized }
  return displays.some((display) => holdsGrip(display, { x, y, width, height })) ? { x, y, ...size } : size
}

function holdsGrip(display: Rectangle, window: Rectangle): boolean {
  const across = Math.min(window.x + window.width, display.x + display.width) - Math.max(window.x, display.x)
  const down = display.y + display.height - window.y
  return across >= GRIP.width && window.y >= display.y && down >= GRIP.height
}

/** What was kept; undefined for the first time and for a file that is not ours. */
export function readWindowState(path: string): WindowState | undefined {
  try {
    return WindowState.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data
  } catch {
    return undefined
  }
}

/** Keeps it. A place that cannot be kept is forgotten: that is not worth a person's attention when they close the window. */
export function writeWindowState(path: string, state: WindowState): void {
  try {
    writeFileSync(path, JSON.stringify(state))
  } catch {
    // The window opens in the middle the next time.
  }
}
