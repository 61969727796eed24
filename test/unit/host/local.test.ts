import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LocalHost } from '../../../main/host/local.ts'
import { CONTENT_SECURITY_POLICY } from '../../../main/host/security.ts'

let folder: string
let host: LocalHost
/** What reached the router. */
let calls: unknown[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-local-'))
  mkdirSync(join(folder, 'pages'))
  writeFileSync(join(folder, 'pages', 'index.html'), '<title>Halfstep</title>')
  writeFileSync(join(folder, 'secret.txt'), 'secret')
  calls = []
  host = new LocalHost({ pages: join(folder, 'pages') })
  await host.listen(async (name, args) => {
    calls.push([name, args])
    return { ok: true, value: 'done' }
  })
})

afterEach(async () => {
  await host.close()
  rmSync(folder, { recursive: true, force: true })
})

type Headers = Record<string, string>

/** One request with exactly these headers beside Host; `fetch` would not let us lie about Host and Origin. */
async function ask(method: string, path: string, headers: Headers = {}, body = ''): Promise<IncomingMessage> {
  const { port } = host
  const sent = request({ host: '127.0.0.1', port, method, path, headers: { Host: `127.0.0.1:${port}`, ...headers }, agent: false })
  sent.end(body)
  const [answer] = await once(sent, 'response') as [IncomingMessage]
  return answer
}

const statusOf = async (...args: Parameters<typeof ask>): Promise<number | undefined> => {
  const answer = await ask(...args)
  answer.resume()
  return answer.statusCode
}

/** The opening address as a path. */
const opening = (): string => host.openingAddress().replace(/^http:\/\/[^/]+/, '')

/** Headers of a page that was opened with a token. */
async function opened(): Promise<Headers> {
  const answer = await ask('GET', opening())
  const cookie = answer.headers['set-cookie']?.[0] ?? ''
  answer.resume()
  return { Cookie: cookie.split(';')[0] ?? '' }
}

const ours = (): Headers => ({ 'Origin': `http://127.0.0.1:${host.port}`, 'Content-Type': 'application/json', 'Sec-Fetch-Site': 'same-origin' })

describe('opening the app', () => {
  it('exchanges a token for a cookie that scripts and other sites cannot use, once', async () => {
    const path = opening()
    const answer = await ask('GET', path)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['set-cookie']?.[0]).toMatch(/^halfstep-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/)
    expect(answer.headers['referrer-policy']).toBe('no-referrer')
    expect(await text(answer)).toContain('url=/')
    expect(await statusOf('GET', path)).toBe(401)
  })

  it('gives no cookie for a wrong or missing token', async () => {
    for (const path of ['/open', '/open?token=', '/open?token=AAAA', `/open?token=${'A'.repeat(43)}`]) {
      const answer = await ask('GET', path)
      answer.resume()
      expect([path, answer.statusCode, answer.headers['set-cookie']]).toEqual([path, 401, undefined])
    }
  })

  it('needs the cookie for everything else, and says what to do without', async () => {
    for (const [method, path] of [['GET', '/'], ['GET', '/events'], ['POST', '/call'], ['GET', '/library/x.png']] as const) {
      expect([path, await statusOf(method, path, { ...ours(), Cookie: `halfstep-${host.port}=wrong` }, '{}')]).toEqual([path, 401])
    }
    expect(await text(await ask('GET', '/'))).toMatch(/Open Halfstep with the address/)
    expect(await statusOf('GET', '/', await opened())).toBe(200)
  })
})

describe('the pages', () => {
  it('come with the headers they have under app:', async () => {
    const answer = await ask('GET', '/', await opened())
    expect(answer.headers['content-security-policy']).toBe(CONTENT_SECURITY_POLICY)
    expect(await text(answer)).toBe('<title>Halfstep</title>')
  })

  it('are all that can be reached', async () => {
    const cookie = await opened()
    for (const path of ['/../secret.txt', '/..%2fsecret.txt', '/%2e%2e/secret.txt', '/..%5csecret.txt', '/%00', '/missing.js']) {
      expect([path, await statusOf('GET', path, cookie)]).toEqual([path, 404])
    }
    for (const url of ['//evil.example/', 'http://evil.example/', '*']) expect([url, await statusOf('GET', url, cookie)]).toEqual([url, 400])
  })
})

describe('a call', () => {
  it('reaches the router with its name and arguments and brings back the reply', async () => {
    const answer = await ask('POST', '/call', { ...await opened(), ...ours() }, '{"name":"app.info","args":{"a":1}}')
    expect([answer.statusCode, JSON.parse(await text(answer))]).toEqual([200, { ok: true, value: 'done' }])
    expect(calls).toEqual([['app.info', { a: 1 }]])
  })

  it('is refused from another origin, under another name, and from a page of another local server', async () => {
    const cookie = await opened()
    const call = (headers: Headers) => statusOf('POST', '/call', { ...cookie, ...ours(), ...headers }, '{"name":"app.info","args":{}}')
    expect(await call({ Origin: 'https://evil.example' })).toBe(403)
    expect(await call({ Origin: 'http://127.0.0.1:1' })).toBe(403)
    expect(await call({ Origin: 'null' })).toBe(403)
    expect(await call({ Host: `evil.example:${host.port}`, Origin: `http://evil.example:${host.port}` })).toBe(403)
    expect(await call({ 'Sec-Fetch-Site': 'same-site' })).toBe(403)
    expect(await statusOf('POST', '/call', { ...cookie, 'Content-Type': 'application/json' }, '{"name":"app.info","args":{}}')).toBe(403)
    expect(calls).toEqual([])
  })

  it('is refused when it is junk or is not declared as JSON, which forms cannot do', async () => {
    const headers = { ...await opened(), ...ours() }
    for (const body of ['', 'junk', '[]', 'null', '7', '{}', '{"name":"app.info"}', '{"name":', '\0']) {
      expect([body, await statusOf('POST', '/call', headers, body)]).toEqual([body, 400])
    }
    expect(await statusOf('POST', '/call', { ...headers, 'Content-Type': 'text/plain' }, '{"name":"app.info","args":{}}')).toBe(415)
    expect(await statusOf('PUT', '/call', headers, '{"name":"app.info","args":{}}')).toBe(404)
    expect(calls).toEqual([])
  })
})

describe('events', () => {
  it('reach every open page in the order they were sent', async () => {
    const cookie = await opened()
    const streams = await Promise.all([ask('GET', '/events', cookie), ask('GET', '/events', cookie)])
    for (let tried = 1; tried <= 50; tried++) host.broadcast('devices.probing', { tried, total: 50 })
    const heard = await Promise.all(streams.map(async (stream) => {
      let received = ''
      for await (const chunk of stream) {
        received += String(chunk)
        if (received.includes('"tried":50')) break
      }
      return [...received.matchAll(/"tried":(\d+)/g)].map(([, tried]) => Number(tried))
    }))
    const all = Array.from({ length: 50 }, (_, index) => index + 1)
    expect(heard).toEqual([all, all])
  })
})

describe('files of the library', () => {
  it('are answered by whoever keeps them, to pages that may see them', async () => {
    await host.close()
    const asked: string[] = []
    host = new LocalHost({
      pages: join(folder, 'pages'),
      async libraryFiles(method, path) {
        asked.push(`${method} ${path}`)
        return new Response('picture', { headers: { 'Content-Type': 'image/png' } })
      },
    })
    await host.listen(async () => ({ ok: true, value: null }))
    expect(await statusOf('GET', '/library/a.png')).toBe(401)
    expect(await statusOf('GET', '/library/a.png', { ...await opened(), 'Sec-Fetch-Site': 'cross-site' })).toBe(403)
    const answer = await ask('GET', '/library/a.png', await opened())
    expect([answer.headers['content-type'], await text(answer)]).toEqual(['image/png', 'picture'])
    expect(asked).toEqual(['GET /library/a.png'])
  })
})

describe('a port', () => {
  it('that another program has is refused with a way out', async () => {
    const second = new LocalHost({ pages: folder })
    await expect(second.listen(async () => ({ ok: true, value: null }), host.port)).rejects.toMatchObject({
      code: 'host.port', message: `Port ${host.port} cannot be had: another program uses it.`,
    })
  })
})
