/**
 * The decisions the window's host takes about what pages may do, apart from Electron so that each can be tested.
 * Everything is denied that is not needed: Electron's security checklist, items 5 to 20.
 */
import { isAbsolute, relative, resolve, sep } from 'node:path'

/** Where the app's own pages live: a scheme of our own, so that nothing on the disk is reachable as `file://`. */
export const APP_SCHEME = 'app'
export const APP_ORIGIN = `${APP_SCHEME}://halfstep`

/** Only our own files, no inline scripts, no network, no frames, no plugins. `blob:` and `data:` carry generated pictures. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Sent with every answer of the `app:` scheme. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
}

/**
 * The file inside `root` that an `app:` address means, or undefined for anything else: another host, a malformed address,
 * a path that leads out of `root`, a NUL byte, a drive letter or backslash.
 */
export function fileForAddress(address: string, root: string): string | undefined {
  if (!isAppAddress(address)) return undefined
  const path = decodedPath(address)
  if (path === undefined || /[\0\\:]/.test(path)) return undefined
  const file = resolve(root, `.${path === '/' ? '/index.html' : path}`)
  return contains(root, file) ? file : undefined
}

/** Whether `file` lies inside `root` (both absolute, symbolic links already resolved where that matters). */
export function contains(root: string, file: string): boolean {
  const way = relative(root, file)
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/** Whether an address is one of our own pages. Compared part by part: `app://halfstep.evil` only looks alike. */
export function isAppAddress(address: string): boolean {
  if (!URL.canParse(address)) return false
  const { protocol, host, username, password } = new URL(address)
  return protocol === `${APP_SCHEME}:` && host === new URL(APP_ORIGIN).host && username === '' && password === ''
}

/** A window stays on our own pages. */
export function mayNavigate(address: string): boolean {
  return isAppAddress(address)
}

/** Pages get no camera, microphone, location, notification or other power; writing text to the clipboard is all they need. */
export function mayUse(permission: string, requestingAddress: string): boolean {
  return permission === 'clipboard-sanitized-write' && isAppAddress(requestingAddress)
}

/** A call counts only when it comes from the top frame of one of our pages; subframes and vanished frames have no say. */
export function maySend(sender: { readonly url: string; readonly isTopFrame: boolean } | undefined): boolean {
  return sender !== undefined && sender.isTopFrame && isAppAddress(sender.url)
}

function decodedPath(address: string): string | undefined {
  try {
    return decodeURIComponent(new URL(address).pathname)
  } catch {
    return undefined
  }
}
