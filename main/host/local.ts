/**
 * The app served to a browser on this machine, for machines without Electron and for GPU boxes reached through a tunnel:
 * the same pages, contract and router. Calls come by POST, one answer each; events go out over one server-sent stream, in order.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { HalfstepError } from '../engine/errors.ts'
import type { Broadcast } from '../ipc/handlers.ts'
import type { Router } from '../ipc/router.ts'
import { cookieValue, isForUs, isFromUs, newSecret, OneTimeTokens, sameSecret } from './local-guard.ts'
import { answerUpload, type ReceiveFile } from './local-uploads.ts'
import { isLibraryPath } from './library-pages.ts'
import { answerPage } from './pages.ts'
import { APP_ORIGIN, SECURITY_HEADERS } from './security.ts'

/** Answers a request for a file of the library by its path (`/library/…`), in the way pages are answered. */
export type AnswerFile = (method: string, path: string) => Promise<Response>

export interface LocalHostOptions {
  /** Folder with the built pages. */
  readonly pages: string
  readonly libraryFiles?: AnswerFile
  /** Takes files that are dropped on a page. */
  readonly receiveFile?: ReceiveFile
}

/** The largest body of a call: a picture dropped on the page travels inside it. */
const LARGEST_CALL = 64 * 2 ** 20
/** A page that reads nothing for this many bytes of events is asleep or gone; it asks anew when it wakes. */
const LARGEST_BACKLOG = 8 * 2 ** 20
/** Tunnels drop connections that stay silent. */
const SIGN_OF_LIFE_MS = 25_000

export class LocalHost {
  readonly #pages: string
  readonly #libraryFiles: AnswerFile | undefined
  readonly #receiveFile: ReceiveFile | undefined
  readonly #server: Server
  readonly #tokens = new OneTimeTokens()
  readonly #session = newSecret()
  readonly #listeners = new Set<ServerResponse>()
  #router: Router | undefined
  #port = 0
  #signs: NodeJS.Timeout | undefined

  constructor({ pages, libraryFiles, receiveFile }: LocalHostOptions) {
    this.#pages = pages
    this.#libraryFiles = libraryFiles
    this.#receiveFile = receiveFile
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy())
    })
  }

  /** Answers from now on, on loopback only. Port 0 takes a free one. Throws `host.port` when the port cannot be had. */
  async listen(router: Router, port = 0): Promise<void> {
    this.#router = router
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(portRefused(port, error)))
      this.#server.listen(port, '127.0.0.1', resolve)
    })
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new TypeError('A listening TCP server has a port.')
    this.#port = address.port
    this.#signs = setInterval(() => this.#send(': still here\n\n'), SIGN_OF_LIFE_MS).unref()
  }

  get port(): number {
    return this.#port
  }

  /** An address that opens the app in one browser, once. */
  openingAddress(): string {
    return `http://127.0.0.1:${this.#port}/open?token=${this.#tokens.issue()}`
  }

  /** Tells every open page. */
  readonly broadcast: Broadcast = (name, payload) => {
    this.#send(`data: ${JSON.stringify({ name, payload })}\n\n`)
  }

  async close(): Promise<void> {
    clearInterval(this.#signs)
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    // `//host/…` and `http://host/…` are addresses of elsewhere, whatever the Host header says.
    if (!/^\/(?!\/)/.test(url)) return refuse(response, 400, 'This is not an address of Halfstep.')
    if (!isForUs(headers, this.#port)) return refuse(response, 403, 'Halfstep does not answer under this name.')
    const { pathname, searchParams } = new URL(url, 'http://127.0.0.1')
    // From wherever the address was clicked, a terminal in a web page included: the token is proof enough.
    if (method === 'GET' && pathname === '/open') return this.#open(searchParams.get('token') ?? '', headers, response)
    if (!isFromUs(headers, method)) return refuse(response, 403, 'Only Halfstep’s own pages may ask.')
    if (!this.#isKnown(headers)) return refuse(response, 401, 'Open Halfstep with the address that it printed when it started.')
    if (method === 'POST' && pathname === '/call') return this.#call(request, response)
    if (this.#receiveFile && method === 'POST' && pathname === '/upload') return answerUpload(request, response, this.#receiveFile)
    if (method === 'GET' && pathname === '/events') return this.#listen(response)
    if (this.#libraryFiles && isLibraryPath(pathname)) return send(response, await this.#libraryFiles(method, pathname))
    return send(response, await answerPage(method, `${APP_ORIGIN}${pathname}`, this.#pages))
  }

  /** Exchanges a token for the cookie. Cookies know no ports, so its name does: two libraries may be open at once. */
  #open(token: string, headers: IncomingMessage['headers'], response: ServerResponse): void {
    if (!this.#tokens.redeem(token)) {
      // The address of a page that is open here already, reloaded or taken from the history.
      if (this.#isKnown(headers)) return goToApp(response)
      return refuse(response, 401, 'This address has been used. Take the one that Halfstep printed last, or start it again.')
    }
    response.setHeader('Set-Cookie', `${this.#cookie}=${this.#session}; HttpOnly; SameSite=Strict; Path=/`)
    goToApp(response)
  }

  get #cookie(): string {
    return `halfstep-${this.#port}`
  }

  #isKnown({ cookie }: IncomingMessage['headers']): boolean {
    return sameSecret(cookieValue(cookie, this.#cookie), this.#session)
  }

  async #call(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers['content-type'] !== 'application/json') return refuse(response, 415, 'A call is JSON.')
    const body = await readBody(request, LARGEST_CALL)
    if (body === undefined) return refuse(response, 413, 'This call is too large.')
    const call = parseCall(body)
    if (call === undefined || this.#router === undefined) return refuse(response, 400, 'This is no call.')
    const reply = await this.#router(call.name, call.args)
    response.writeHead(200, { ...SECURITY_HEADERS, 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' })
    response.end(JSON.stringify(reply))
  }

  #listen(response: ServerResponse): void {
    response.writeHead(200, { ...SECURITY_HEADERS, 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    response.write(': listening\n\n')
    this.#listeners.add(response)
    response.on('close', () => this.#listeners.delete(response))
  }

  #send(text: string): void {
    for (const listener of this.#listeners) {
      if (listener.writableLength > LARGEST_BACKLOG) listener.destroy()
      else listener.write(text)
    }
  }
}

/** The name and arguments in a call's body, unchecked beyond being there: the router checks them. */
function parseCall(body: Buffer): { readonly name: unknown; readonly args: unknown } | undefined {
  try {
    const call: unknown = JSON.parse(body.toString('utf8'))
    return typeof call === 'object' && call !== null && 'name' in call && 'args' in call ? { name: call.name, args: call.args } : undefined
  } catch {
    return undefined
  }
}

/** The whole body, or undefined when it is larger than allowed; no more than that is ever kept. */
async function readBody(request: IncomingMessage, largest: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > largest) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function send(response: ServerResponse, answer: Response): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  response.end(Buffer.from(await answer.arrayBuffer()))
}

/** A redirect belongs to the site whose link was clicked, and strict cookies are not sent along: a page of ours goes on instead. */
function goToApp(response: ServerResponse): void {
  response.writeHead(200, { ...SECURITY_HEADERS, 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' })
  response.end(`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/">
<link rel="icon" href="/icon.svg"><title>Halfstep</title></head></html>`)
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { ...SECURITY_HEADERS, 'Content-Type': 'text/plain; charset=utf-8', 'Connection': 'close' })
  response.end(`${sentence}\n`)
}

function portRefused(port: number, { code, message }: NodeJS.ErrnoException): HalfstepError {
  const cause = code === 'EADDRINUSE' ? 'another program uses it' : message
  return new HalfstepError(
    'host.port',
    `Port ${port} cannot be had: ${cause}.`,
    'Choose another with --port, or leave it out to take a free one.',
    { port },
  )
}
