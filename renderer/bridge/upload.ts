/** Sends dropped files to the local host, which a browser tells no paths. */
import { LARGEST_UPLOADED_FILE, MOST_UPLOADED_FILES } from '../../main/ipc/contract.ts'
import type { Reply } from '../../main/ipc/bridge.ts'

/** A file with the folders it was dropped in, by forward slashes. */
export interface DroppedFile {
  readonly name: string
  readonly file: File
}

/** Files where the services can read them, until the upload is discarded. */
export interface Uploaded {
  readonly upload: string
  readonly paths: readonly string[]
}

export interface UploadOptions {
  /** Names the upload: a UUID. */
  readonly upload: string
  readonly signal?: AbortSignal
  /** Told how many bytes of how many have arrived. */
  readonly onProgress?: (done: number, total: number) => void
}

/** As many connections as leave room for calls: browsers open six to one host. */
const AT_ONCE = 3

/** Sends files, several at a time; the first that fails ends it. */
export async function uploadFiles(send: typeof fetch, files: readonly DroppedFile[], options: UploadOptions): Promise<Reply<Uploaded>> {
  const tooLarge = files.find(({ file }) => file.size > LARGEST_UPLOADED_FILE)
  if (tooLarge) return refusal(`${tooLarge.name} is too large to come through the browser.`)
  if (files.length > MOST_UPLOADED_FILES) return refusal(`${files.length} files are too many to come through the browser at once.`)
  const { upload, onProgress } = options
  const total = files.reduce((sum, { file }) => sum + file.size, 0)
  const paths: string[] = []
  const waiting = [...files]
  let done = 0
  let failure: Reply<never> | undefined
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && failure === undefined; next = waiting.shift()) {
      const reply = await uploadFile(send, next, options)
      if (!reply.ok) {
        failure = reply
        return
      }
      paths.push(reply.value)
      done += next.file.size
      onProgress?.(done, total)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return failure ?? { ok: true, value: { upload, paths } }
}

/** @returns its path there */
async function uploadFile(send: typeof fetch, { name, file }: DroppedFile, { upload, signal }: UploadOptions): Promise<Reply<string>> {
  try {
    const answer = await send(`/upload?${new URLSearchParams({ upload, name })}`, {
      method: 'POST', headers: { 'Content-Type': 'application/octet-stream' }, body: file, ...(signal ? { signal } : {}),
    })
    return answer.ok ? pathIn((await answer.json()) as Reply<Received>) : closed()
  } catch {
    if (signal?.aborted) return { ok: false, error: { code: 'cancelled', message: 'It was stopped.', nextStep: '', details: {} } }
    // A file that was changed or moved since it was dropped cannot be read either.
    return refusal(`${name} could not be sent.`, 'Drop it again; if that does not help, choose it with Browse.')
  }
}

/** What the host tells of a file that arrived. */
interface Received {
  readonly path: string
}

function pathIn(reply: Reply<Received>): Reply<string> {
  return reply.ok ? { ok: true, value: reply.value.path } : reply
}

function closed(): Reply<never> {
  const nextStep = 'Start it again and open the address it prints.'
  return { ok: false, error: { code: 'host.closed', message: 'Halfstep no longer answers.', nextStep, details: {} } }
}

function refusal(message: string, nextStep = 'Choose it with Browse instead.'): Reply<never> {
  return { ok: false, error: { code: 'file.unreadable', message, nextStep, details: {} } }
}
