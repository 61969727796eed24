/** What decides between Electron's window and the browser. */
export interface LaunchFacts {
  readonly platform: NodeJS.Platform
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether Electron's program is on this machine, after an attempt to fetch it. */
  readonly electron: boolean
}

/** Where the app opens, and why, as one sentence. */
export interface HostChoice {
  readonly host: 'window' | 'browser'
  readonly reason: string
}

/** Opens Electron's window wherever one can appear, else the browser. */
export function chooseHost({ platform, env, electron }: LaunchFacts): HostChoice {
  if (platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY) {
    return { host: 'browser', reason: 'There is no display here for a window, so Halfstep serves its pages to a browser.' }
  }
  if (!electron) {
    return {
      host: 'browser',
      reason: 'Electron’s program is not here and could not be fetched from github.com, so Halfstep opens in the browser.',
    }
  }
  return { host: 'window', reason: 'Halfstep opens in its own window, with Electron.' }
}
