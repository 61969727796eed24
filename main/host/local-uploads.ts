/** Files that are dropped on a page in a browser: each is one POST with its bytes as they are, streamed to where they wait. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { toErrorValue } from '../engine/errors.ts'
import type { IncomingFile, ReceivedFile } from '../services/files/uploads.ts'
import { SECURITY_HEADERS } from './security.ts'

/** Takes a file in. */
export type ReceiveFile = (file: IncomingFile, body: AsyncIterable<Uint8Array>) => Promise<ReceivedFile>

/** What forms of other sites cannot send without asking first. */
const CONTENT_TYPE = 'application/octet-stream'

/**
 * Answers `POST /upload?upload=<id>&name=<name>` with a reply as calls have. Whoever asks has been checked before.
 * What is refused is read to its end and thrown away, since a browser hears an answer only once it has sent everything.
 */
export async function answerUpload(request: IncomingMessage, response: ServerResponse, receive: ReceiveFile): Promise<void> {
  const { searchParams } = new URL(request.url ?? '', 'http://127.0.0.1')
  const bytes = Number(request.headers['content-length'])
  if (request.headers['content-type'] !== CONTENT_TYPE || !Number.isSafeInteger(bytes) || bytes < 0) {
    request.resume()
    response.writeHead(400, { ...SECURITY_HEADERS, 'Content-Type': 'text/plain; charset=utf-8' })
    response.end('This is no upload.\n')
    return
  }
  const file = { upload: searchParams.get('upload') ?? '', name: searchParams.get('name') ?? '', bytes }
  const reply = await receive(file, request.iterator({ destroyOnReturn: false })).then(
    (value) => ({ ok: true, value }),
    (error: unknown) => ({ ok: false, error: toErrorValue(error) }),
  )
  request.resume()
  response.writeHead(200, { ...SECURITY_HEADERS, 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' })
  response.end(JSON.stringify(reply))
}
