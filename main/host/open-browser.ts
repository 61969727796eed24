import { spawn } from 'node:child_process'

/** The program and arguments with which a system opens an address in the browser a person chose. */
export function browserCommand(address: string, platform: NodeJS.Platform): readonly [string, ...string[]] {
  if (platform === 'darwin') return ['open', address]
  // `start` is a word of the shell, which would read the address; this is what it does with one.
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', address]
  return ['xdg-open', address]
}

/** Opens an address in the default browser. Whether that worked is for the person to see: they have the address too. */
export function openInBrowser(address: string): void {
  const [program, ...args] = browserCommand(address, process.platform)
  const child = spawn(program, args, { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}
