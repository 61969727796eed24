import { readFile, realpath } from 'node:fs/promises'
import { extname } from 'node:path'
import { contains, fileForAddress, SECURITY_HEADERS } from './security.ts'

/** What our built pages consist of. Anything else is sent as bytes, which no page can run. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
}

/** Answers a request for one of the files inside `pages`; everything else, whatever the reason, is not found. */
export async function answerPage(method: string, address: string, pages: string): Promise<Response> {
  const file = method === 'GET' ? fileForAddress(address, pages) : undefined
  const bytes = file === undefined ? undefined : await readInside(file, pages)
  if (file === undefined || bytes === undefined) return new Response('Not found', { status: 404, headers: SECURITY_HEADERS })
  const type = CONTENT_TYPES[extname(file)] ?? 'application/octet-stream'
  return new Response(bytes, { headers: { 'Content-Type': type, ...SECURITY_HEADERS } })
}

/** The file's bytes, or undefined when there is no such file or its symbolic links lead out of `pages`. */
async function readInside(file: string, pages: string): Promise<Buffer<ArrayBuffer> | undefined> {
  try {
    const [real, root] = await Promise.all([realpath(file), realpath(pages)])
    return contains(root, real) ? await readFile(real) : undefined
  } catch {
    return undefined
  }
}
