/**
 * The decisions the local host takes about who may speak to it, apart from sockets so that each can be tested.
 * It listens on loopback, but every page of every browser on this machine can send requests there: what counts as ours is told
 * by the Host header (DNS rebinding), the Origin and Sec-Fetch-Site headers (other sites, other local servers) and a cookie.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** The headers of a request that decide. */
export interface RequestHeaders {
  readonly host?: string | undefined
  readonly origin?: string | undefined
  readonly 'sec-fetch-site'?: string | string[] | undefined
  readonly cookie?: string | undefined
}

/** The names under which a browser on this machine, or at the other end of an SSH tunnel, may know us. */
const OUR_NAMES = ['127.0.0.1', 'localhost']

/** Whether the request was sent to us by name: a site whose name was rebound to 127.0.0.1 still sends its own. */
export function isForUs({ host }: RequestHeaders, port: number): boolean {
  return OUR_NAMES.some((name) => host === `${name}:${port}`)
}

/**
 * Whether one of our pages, or the person at the address bar, made the request. Browsers send `Origin` with whatever may change
 * something, and `Sec-Fetch-Site` with everything; a request that should have an origin and has none is refused.
 */
export function isFromUs({ host, origin, 'sec-fetch-site': site }: RequestHeaders, method: string): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  if (origin === undefined) return method === 'GET'
  return origin === `http://${host ?? ''}`
}

/** The value of a cookie; undefined where there is none of that name. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim().split('='))
  return pairs.find(([key]) => key === name)?.[1]
}

/** 256 random bits that fit into an address and a cookie. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Whether two secrets are equal, in a time that does not tell how much of them is. */
export function sameSecret(a: string | undefined, b: string): boolean {
  return a !== undefined && timingSafeEqual(digest(a), digest(b))
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** Secrets that open the door once each. */
export class OneTimeTokens {
  readonly #open = new Set<string>()

  /** A fresh one. */
  issue(): string {
    const token = newSecret()
    this.#open.add(token)
    return token
  }

  /** Whether this one was issued and not used before; from now on it is used. */
  redeem(token: string): boolean {
    const found = [...this.#open].find((issued) => sameSecret(token, issued))
    return found !== undefined && this.#open.delete(found)
  }
}
