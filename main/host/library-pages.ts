import { readFile } from 'node:fs/promises'
import { findLibraryFile, LIBRARY_PREFIX } from '../services/library-files.ts'
import { SECURITY_HEADERS } from './security.ts'

/** Whether an address path asks for a file of the library. */
export function isLibraryPath(pathname: string): boolean {
  return pathname.startsWith(LIBRARY_PREFIX)
}

/** Pictures and thumbnails are named by their content and never change; what a run writes may be written again. */
const NAMED_BY_CONTENT = /^\/library\/(pictures|thumbnails)\//

/** Answers a request for a picture or adapter of the library; everything else, whatever the reason, is not found. */
export async function answerLibraryFile(method: string, pathname: string, libraryFolder: string): Promise<Response> {
  const file = method === 'GET' ? await findLibraryFile(pathname, libraryFolder) : undefined
  const bytes = file === undefined ? undefined : await readFile(file.path).catch(() => undefined)
  if (file === undefined || bytes === undefined) return new Response('Not found', { status: 404, headers: SECURITY_HEADERS })
  const caching = NAMED_BY_CONTENT.test(pathname) ? 'private, max-age=31536000, immutable' : 'no-cache'
  return new Response(bytes, { headers: { 'Content-Type': file.contentType, 'Cache-Control': caching, ...SECURITY_HEADERS } })
}
